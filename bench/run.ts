/** `npm run bench`. */
import { benchPageref } from './pageref.ts'

await benchPageref()
