// Memory control groups as far as a page's charge needs them: include/linux/memcontrol.h.
import { type Int, struct } from 'putpage/model'

/** struct mem_cgroup: its page counter. */
export class MemCgroup {
  /** Pages charged to it. */
  charged: Int<-2, 7> = 0
}

/** memory_cgrp_subsys. */
class MemoryCgrpSubsys {
  /** Off, as with cgroup_disable=memory, unless a scenario turns it on: then charges are neither state nor steps. */
  enabled = false
}
export const memory_cgrp_subsys = struct(MemoryCgrpSubsys)

/** mem_cgroup_disabled(). */
export function mem_cgroup_disabled(): boolean {
  return !memory_cgrp_subsys.enabled
}
