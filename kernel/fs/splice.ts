// User pages in a pipe: fs/splice.c, fs/pipe.c.
import { put_page } from '../include/linux/mm.ts'
import type { Page, Vma } from '../include/linux/mm_types.ts'
import { get_user_pages_fast } from '../mm/gup.ts'

/** vmsplice() to a pipe: iter_to_pipe() takes a plain reference of the user's page, in every kernel. @kernel __do_sys_vmsplice iter_to_pipe */
export function vmsplice_to_pipe(buffer: Vma): Page | null {
  return get_user_pages_fast(buffer)
}

/** generic_pipe_buf_release(): the reader of the pipe is done with the buffer. @kernel page_cache_pipe_buf_release */
export function generic_pipe_buf_release(page: Page): void {
  put_page(page, 'gup')
}
