import { asm, defineCase } from "../../mod.ts";
import { LEAF, useAsPageTable } from "./_page_table.ts";

/** A page table in a slot that is replaced by one over other memory translates as the other memory says. */
export default defineCase({
  id: "memslot/swap-page-table",
  spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION", "SDM 3A 4.10.4: invalidation of TLBs"],
  mode: "long",
  guest: asm`
    mov rbx, 0x40000000
    mov al, [rbx]
    mov byte [rbx + 0xfff], 0xa1
    out 0x10, al
    mov rdx, cr3
    mov cr3, rdx
    mov al, [rbx]
    mov byte [rbx + 0xffe], 0xb2
    out 0x10, al
    hlt
  `,
  drive(context) {
    const { vm, run, write } = context;
    write(0xb000, Uint8Array.of(0x11));
    write(0xc000, Uint8Array.of(0x22));
    const memory = vm.memory.map(0x2000);
    memory.view.setBigUint64(0, 0xb000n | LEAF, true);
    memory.view.setBigUint64(0x1000, 0xc000n | LEAF, true);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x1000, memory };
    vm.memory.setSlot(slot);
    useAsPageTable(context, 0x100000n);
    run();
    vm.memory.setSlot({ ...slot, size: 0 });
    vm.memory.setSlot({ ...slot, offset: 0x1000 });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000
    pio out 0x10 u8 0x11
    > slot 0x1 gpa=0x100000 size=0x0
    > slot 0x1 gpa=0x100000 size=0x1000
    pio out 0x10 u8 0x22
    hlt
    = rax 0x22
    = rbx 0x40000000
    = rdx 0x10000
    = mem 0xbfff u8 0xa1
    = mem 0xcffe u8 0xb2
  `,
});
