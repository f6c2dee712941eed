import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { hex } from "./_hex.ts";

// What a fetch leaves of the one dirty page: nothing unless the fetch does not clear.
const rows = {
  "off": { options: 0, errno: "", left: "" },
  "on": { options: 1, errno: "", left: "0x1" },
  "initially-set-alone": { options: 2, errno: "-> EINVAL", left: "" },
  "unknown-flag": { options: 4, errno: "-> EINVAL", left: "" },
  "unknown-flag-and-on": { options: 5, errno: "-> EINVAL", left: "" },
};

/** KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 takes its known options alone, and refused it changes no fetch; a clear works in any case. */
export default defineCases("memslot/manual-protect", rows, ({ options, errno, left }) => ({
  spec: [
    "KVM API 7.18: KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2",
    "KVM API 4.117: KVM_CLEAR_DIRTY_LOG can always be used",
    "virt/kvm/kvm_main.c: kvm_vm_ioctl_enable_cap_generic (6.1, 6.12) for the errno",
  ],
  requires: [{ capability: "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", atLeast: 3 }],
  mode: "protected",
  guest: asm`
    mov byte [0x101000], 0xa1
    out 0x10, al
    mov byte [0x102000], 0xa2
    out 0x10, al
    mov byte [0x102001], 0xb2
    hlt
  `,
  drive({ vm, run, attempt }) {
    attempt(() => vm.enableCapability("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", options));
    vm.memory.addRam(0x100000, 0x4000, { slot: 1, flags: MEMORY_LOG_DIRTY_PAGES });
    run();
    vm.memory.dirtyLog(1, 4);
    vm.memory.dirtyLog(1, 4);
    run();
    vm.memory.clearDirtyLog(1, 0, 4);
    vm.memory.dirtyLog(1, 4);
    run();
    vm.memory.dirtyLog(1, 4);
  },
  trace: `
    > enable manual-dirty-log-protect2 ${hex(options)} ${errno}
    > slot 0x1 gpa=0x100000 size=0x4000 flags=0x1
    pio out 0x10 u8 0x0
    > dirty-log 0x1 -> [0x1]
    > dirty-log 0x1 -> [${left}]
    pio out 0x10 u8 0x0
    > clear-dirty-log 0x1 first=0x0 pages=0x4
    > dirty-log 0x1 -> []
    hlt
    > dirty-log 0x1 -> [0x2]
    = mem 0x101000 u8 0xa1
    = mem 0x102000 u8 [0xa2 0xb2]
  `,
}));
