import { asm, defineCase } from "../../mod.ts";
import { until } from "./_until.ts";

/** vCPUs that use a slot do not notice how slots beside it come, move, change and go. */
export default defineCase({
  id: "memslot/change-running",
  spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION"],
  mode: "protected",
  vcpus: 2,
  // With IF set: under Bochs nothing ends a guest that spins with IF clear (see exit/runaway).
  registers: { rflags: 0x202n },
  // Each vCPU counts in both pages, and compares what only it has written there.
  guest: asm`
  vcpu0:
    inc dword [0x100000]
    inc dword [0x101000]
    mov eax, [0x100000]
    cmp eax, [0x101000]
    jne wrong
    cmp byte [0xa000], 0
    je vcpu0
    mov eax, 1
    hlt
  vcpu1:
    inc dword [0x100004]
    inc dword [0x101004]
    mov eax, [0x100004]
    cmp eax, [0x101004]
    jne wrong
    cmp byte [0xa000], 0
    je vcpu1
    mov eax, 2
    hlt
  wrong:
    mov eax, 3
    hlt
  `,
  async drive(context) {
    const { vm, runOn, read, write } = context;
    const memory = vm.memory.map(0x4000);
    const one = { slot: 1, guestAddress: 0x100000, size: 0x1000, memory };
    vm.memory.setSlot(one);
    vm.memory.setSlot({ ...one, slot: 2, guestAddress: 0x101000, offset: 0x1000 });
    const exits = [runOn(0), runOn(1)];
    await until(
      context,
      "both vCPUs have counted",
      () => read(0x100000, 1)[0] > 0 && read(0x100004, 1)[0] > 0,
    );
    const beside = { ...one, slot: 3, guestAddress: 0x102000, size: 0x2000, offset: 0x2000 };
    vm.memory.setSlot(beside);
    vm.memory.setSlot({ ...beside, guestAddress: 0xfe000 });
    vm.memory.setSlot({ ...beside, guestAddress: 0xfe000, flags: 1 });
    vm.memory.setSlot({ ...beside, guestAddress: 0x80000 });
    vm.memory.setSlot({ ...beside, size: 0 });
    write(0xa000, Uint8Array.of(1));
    await Promise.all(exits);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000
    > slot 0x2 gpa=0x101000 size=0x1000
    > slot 0x3 gpa=0x102000 size=0x2000
    > slot 0x3 gpa=0xfe000 size=0x2000
    > slot 0x3 gpa=0xfe000 size=0x2000 flags=0x1
    > slot 0x3 gpa=0x80000 size=0x2000
    > slot 0x3 gpa=0x102000 size=0x0
    0: hlt
    1: hlt
    0: = rax 0x1
    1: = rax 0x2
    = mem 0x100000 u32 [* *]
    = mem 0x101000 u32 [* *]
  `,
});
