import { asm, defineCase, ioctl } from "../../mod.ts";

/** A guest goes on with as few pages for page tables as KVM allows. */
export default defineCase({
  id: "system/mmu-pages",
  spec: [
    "KVM API 3: KVM_CAP_MMU_SHADOW_CACHE_CONTROL (KVM_SET_NR_MMU_PAGES)",
    "arch/x86/kvm/x86.c: kvm_vm_ioctl_set_nr_mmu_pages, KVM_MIN_ALLOC_MMU_PAGES (6.1, 6.12)",
  ],
  mode: "long",
  requires: ["KVM_CAP_MMU_SHADOW_CACHE_CONTROL"],
  guest: asm`
    mov [0x9000], al
    out 0x10, al
    mov [0xa000], al
    hlt
  `,
  registers: { rax: 0x41n },
  drive({ vm, run, attempt, assertEquals }) {
    attempt(() => vm.setMmuPages(63));
    vm.setMmuPages(64);
    run();
    vm.setMmuPages(1024);
    // Linux 6.3 dropped the other half.
    try {
      assertEquals("KVM_GET_NR_MMU_PAGES", ioctl(vm, "KVM_GET_NR_MMU_PAGES"), 1024);
    } catch (error) {
      assertEquals("KVM_GET_NR_MMU_PAGES", (error as { code?: string }).code, "ENOTTY");
    }
  },
  trace: `
    > mmu-pages 0x3f -> EINVAL
    > mmu-pages 0x40
    pio out 0x10 u8 0x41
    > mmu-pages 0x400
    hlt
    = mem 0x9000 u8 0x41
    = mem 0xa000 u8 0x41
  `,
});
