// A device that writes into memory: include/linux/dma-mapping.h. Nothing stops it but the reference its driver holds.
import type { Page } from './mm_types.ts'

/** A transfer: from dma_map_page() to dma_unmap_page() the device may write into the page at any time. */
export class DmaTransfer {
  target: Page | null = null
}

/** dma_map_page(), and the start of the transfer. */
export function dma_map_page(transfer: DmaTransfer, page: Page): void {
  transfer.target = page
}

/** The transfer is complete; dma_unmap_page(). */
export function dma_unmap_page(transfer: DmaTransfer): void {
  transfer.target = null
}
