import { asm, defineCase } from "../../mod.ts";

/** Memory can be mapped ahead of its use; what is no whole page of a slot is refused. */
export default defineCase({
  id: "system/pre-fault",
  spec: ["KVM API 4.143: KVM_PRE_FAULT_MEMORY (EINVAL, ENOENT; the range is updated)"],
  mode: "protected",
  requires: ["KVM_CAP_PRE_FAULT_MEMORY"],
  guest: asm`
    mov eax, [0x100000]
    mov ebx, [0x101000]
    out 0x10, al
    hlt
  `,
  drive({ vm, vcpu, run, attempt, assertEquals }) {
    const memory = vm.memory.map(0x2000);
    memory.view.setUint32(0, 0x44332211, true);
    memory.view.setUint32(0x1000, 0x88776655, true);
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x2000, memory });
    assertEquals("what is left", vcpu.preFault(0x100000, 0x2000), {
      guestAddress: 0x102000n,
      size: 0n,
    });
    // Mapped already: the same.
    assertEquals("what is left again", vcpu.preFault(0x100000, 0x1000).size, 0n);
    attempt(() => vcpu.preFault(0x100000, 0));
    attempt(() => vcpu.preFault(0x100800, 0x1000));
    attempt(() => vcpu.preFault(0x100000, 0x800));
    attempt(() => vcpu.preFault(0xffff_ffff_ffff_f000n, 0x2000));
    attempt(() => vcpu.preFault(0x100000, 0x1000, 1));
    attempt(() => vcpu.preFault(0x40000000, 0x1000));
    // The slot ends within the range: what could be mapped was, and the rest is left.
    const left = vcpu.preFault(0x101000, 0x2000);
    assertEquals("what lies in no slot", left, { guestAddress: 0x102000n, size: 0x1000n });
    run();
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000
    > pre-fault gpa=0x100000 size=0x2000
    > pre-fault gpa=0x100000 size=0x1000
    > pre-fault gpa=0x100000 size=0x0 -> EINVAL
    > pre-fault gpa=0x100800 size=0x1000 -> EINVAL
    > pre-fault gpa=0x100000 size=0x800 -> EINVAL
    > pre-fault gpa=0xfffffffffffff000 size=0x2000 -> EINVAL
    > pre-fault gpa=0x100000 size=0x1000 -> EINVAL
    > pre-fault gpa=0x40000000 size=0x1000 -> ENOENT
    > pre-fault gpa=0x101000 size=0x2000
    pio out 0x10 u8 0x11
    hlt
    = rax 0x44332211
    = rbx 0x88776655
  `,
});
