import { asm, defineCase } from "../../mod.ts";
import { until } from "./_until.ts";

/** A slot that is deleted while vCPUs access it is a hole at their next access, and RAM again once it is back. */
export default defineCase({
  id: "memslot/delete-running",
  spec: ["KVM API 4.35: deleting a slot is done by passing zero for memory_size"],
  mode: "protected",
  vcpus: 2,
  // With IF set: under Bochs nothing ends a guest that spins with IF clear (see exit/runaway).
  registers: { rflags: 0x202n },
  // vCPU 0 reads and vCPU 1 writes until the host has deleted the slot.
  guest: asm`
  vcpu0:
    inc dword [0xa000]
    mov eax, [0x100000]
    cmp eax, 0x44332211
    je vcpu0
    mov ebx, [0x100000]
    hlt
  vcpu1:
    mov dword [0x101000], 0x88776655
    inc dword [0xb000]
    cmp byte [0xc000], 0
    je vcpu1
    mov dword [0x101004], 0xccbbaa99
    hlt
  `,
  async drive(context) {
    const { vm, runOn, read, write, assertEquals } = context;
    const memory = vm.memory.map(0x2000);
    memory.view.setUint32(0, 0x44332211, true);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x2000, memory };
    vm.memory.setSlot(slot);
    const exits = [runOn(0), runOn(1)];
    await until(
      context,
      "both vCPUs have begun",
      () => read(0xa000, 1)[0] > 0 && read(0xb000, 1)[0] > 0,
    );
    vm.memory.setSlot({ ...slot, size: 0 });
    await Promise.all(exits);
    assertEquals("what vCPU 1 wrote before", memory.view.getUint32(0x1000, true), 0x88776655);
    memory.view.setUint32(0x1000, 0, true);
    write(0xc000, Uint8Array.of(1));
    vm.memory.setSlot(slot);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000
    > slot 0x1 gpa=0x100000 size=0x0
    > slot 0x1 gpa=0x100000 size=0x2000
    0: mmio read 0x100000 u32 -> 0x55
    0: hlt
    1: mmio write 0x101000 u32 0x88776655
    1: hlt
    0: = rax 0x55
    0: = rbx 0x44332211
    0: = rflags 0x287
    = mem 0xa000 u32 *
    = mem 0xb000 u32 *
    = mem 0x101004 u32 0xccbbaa99
  `,
});
