import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { hex } from "./_hex.ts";

/** With KVM_DIRTY_LOG_INITIALLY_SET a new log has every page of the slot, and no bit beyond; what is cleared is logged from then on. */
export default defineCase({
  id: "memslot/dirty-log-initially-set",
  spec: ["KVM API 7.18: KVM_DIRTY_LOG_INITIALLY_SET", "KVM API 4.117: KVM_CLEAR_DIRTY_LOG"],
  requires: [{ capability: "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", atLeast: 3 }],
  mode: "protected",
  guest: asm`
    mov byte [0x100000], 0xa1
    mov byte [0x140000], 0xa2
    out 0x10, al
    mov byte [0x100001], 0xb1
    mov byte [0x140001], 0xb2
    out 0x10, al
    mov byte [0x141000], 0xc3
    hlt
  `,
  drive({ vm, run }) {
    vm.enableCapability("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", 3);
    const memory = vm.memory.map(66 * 0x1000);
    const slot = { slot: 1, guestAddress: 0x100000, size: 66 * 0x1000, memory };
    vm.memory.setSlot(slot);
    run();
    vm.memory.setSlot({ ...slot, flags: MEMORY_LOG_DIRTY_PAGES });
    vm.memory.dirtyLog(1, 66);
    vm.memory.clearDirtyLog(1, 0, 64);
    vm.memory.dirtyLog(1, 66);
    run();
    vm.memory.dirtyLog(1, 66);
    vm.memory.clearDirtyLog(1, 0, 66);
    vm.memory.dirtyLog(1, 66);
    run();
    vm.memory.dirtyLog(1, 66);
  },
  trace: `
    > enable manual-dirty-log-protect2 0x3
    > slot 0x1 gpa=0x100000 size=0x42000
    pio out 0x10 u8 0x0
    > slot 0x1 gpa=0x100000 size=0x42000 flags=0x1
    > dirty-log 0x1 -> [${Array.from({ length: 66 }, (_, page) => hex(page)).join(" ")}]
    > clear-dirty-log 0x1 first=0x0 pages=0x40
    > dirty-log 0x1 -> [0x40 0x41]
    pio out 0x10 u8 0x0
    > dirty-log 0x1 -> [0x0 0x40 0x41]
    > clear-dirty-log 0x1 first=0x0 pages=0x42
    > dirty-log 0x1 -> []
    hlt
    > dirty-log 0x1 -> [0x41]
    = mem 0x100000 u8 [0xa1 0xb1]
    = mem 0x140000 u8 [0xa2 0xb2]
    = mem 0x141000 u8 0xc3
  `,
});
