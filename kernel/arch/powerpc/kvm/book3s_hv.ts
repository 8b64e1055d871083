// arch/powerpc/kvm/book3s_hv.c and virt/kvm/kvm_main.c, as far as a secure guest needs them.
import { retire } from 'putpage/model'
import type { Kvm } from './book3s_hv_uvmem.ts'

/**
 * kvm_destroy_vm() with kvmppc_core_destroy_vm_hv(): the last file of the guest is closed. The ultravisor forgets the guest
 * (uv_svm_terminate()), and struct kvm is freed. Nobody drops the device pages that are left in the page table of the process:
 * only KVM_PPC_SVM_OFF and a failed start of the guest do.
 */
export function kvm_destroy_vm(kvm: Kvm): void {
  kvm.secure_data = 0
  retire(kvm)
}
