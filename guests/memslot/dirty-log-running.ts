import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { until } from "./_until.ts";

/** Logging that is switched on under running vCPUs misses no write: each that comes after a clear is in the next log. */
export default defineCase({
  id: "memslot/dirty-log-running",
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG", "KVM API 4.117: KVM_CLEAR_DIRTY_LOG"],
  requires: ["KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2"],
  mode: "protected",
  vcpus: 2,
  // With IF set: under Bochs nothing ends a guest that spins with IF clear (see exit/runaway).
  registers: { rflags: 0x202n },
  // After each write to its page a vCPU counts a round.
  guest: asm`
  vcpu0:
    inc dword [0x101000]
    inc dword [0xa000]
    cmp byte [0xc000], 0
    je vcpu0
    hlt
  vcpu1:
    inc dword [0x102000]
    inc dword [0xb000]
    cmp byte [0xc000], 0
    je vcpu1
    hlt
  `,
  async drive(context) {
    const { vm, runOn, read, write, assertEquals } = context;
    const memory = vm.memory.map(0x4000);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x4000, memory };
    vm.memory.setSlot(slot);
    const rounds = () =>
      [0xa000, 0xb000].map((at) => new DataView(read(at, 4).buffer).getUint32(0, true));
    // The second round from now on has begun, and ended, after this moment.
    const twoMoreRounds = () => {
      const before = rounds();
      return until(
        context,
        "both vCPUs have gone round twice",
        () => rounds().every((count, vcpu) => count >= before[vcpu] + 2),
      );
    };
    const exits = [runOn(0), runOn(1)];
    await twoMoreRounds();
    vm.memory.setSlot({ ...slot, flags: MEMORY_LOG_DIRTY_PAGES });
    for (let time = 0; time < 2; time++) {
      await twoMoreRounds();
      vm.memory.dirtyLog(1, 4);
    }
    vm.enableCapability("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", 1);
    for (let time = 0; time < 2; time++) {
      await twoMoreRounds();
      vm.memory.dirtyLog(1, 4);
      vm.memory.clearDirtyLog(1, 0, 4);
    }
    write(0xc000, Uint8Array.of(1));
    await Promise.all(exits);
    const written = [0x1000, 0x2000].map((at) => memory.view.getUint32(at, true));
    assertEquals("what the vCPUs counted", written, rounds());
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x4000
    > slot 0x1 gpa=0x100000 size=0x4000 flags=0x1
    > dirty-log 0x1 -> [0x1 0x2]
    > dirty-log 0x1 -> [0x1 0x2]
    > enable manual-dirty-log-protect2 0x1
    > dirty-log 0x1 -> [0x1 0x2]
    > clear-dirty-log 0x1 first=0x0 pages=0x4
    > dirty-log 0x1 -> [0x1 0x2]
    > clear-dirty-log 0x1 first=0x0 pages=0x4
    0: hlt
    1: hlt
    = mem 0xa000 u32 *
    = mem 0xb000 u32 *
    = mem 0x101000 u32 *
    = mem 0x102000 u32 *
  `,
});
