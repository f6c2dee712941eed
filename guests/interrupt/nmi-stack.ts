import { asm, defineCases } from "../../mod.ts";

const rows = {
  // The frame is pushed to a page that the VM has never touched.
  untouched: { touch: "", protect: false },
  // What IRET pops the host has taken away meanwhile, and given back.
  "taken-away": { touch: "mov byte [ss:0x1f00], 1", protect: true },
};

/**
 * An NMI whose frame, or whose IRET, meets memory that is not mapped is delivered once, and blocks
 * the next one until the IRET is done.
 */
export default defineCases("interrupt/nmi-stack", rows, ({ touch, protect }) => ({
  spec: [
    "KVM API 4.64: KVM_NMI",
    "SDM 3A 6.7.1: handling multiple NMIs",
    "SDM 3C 28.2.3: information about NMI unblocking due to IRET",
  ],
  requires: ["KVM_CAP_USER_NMI", "KVM_CAP_SYNC_MMU"],
  mode: "real",
  handlers: { 2: "nmi" },
  guest: asm`
    mov ax, 0x4000
    mov ss, ax
    mov sp, 0x2000
    xor ax, ax
    ${touch}
    out 0x10, al                    ; the host sends an NMI
    mov cx, 1200
    again: loop again
    out 0x12, al
    hlt
    nmi:
    inc bx
    mov al, bl
    out 0x11, al                    ; the host sends another one
    iret
  `,
  drive({ vm, vcpu, run }) {
    const memory = vm.memory.map(0x3000);
    vm.memory.setSlot({ slot: 1, guestAddress: 0x40000, size: 0x3000, memory });
    run();
    vcpu.nmi();
    run();
    vcpu.nmi();
    if (!protect) return;
    memory.protect("none", 0x1000, 0x1000);
    memory.protect("read-write", 0x1000, 0x1000);
  },
  trace: `
    > slot 0x1 gpa=0x40000 size=0x3000
    pio out 0x10 u8 0x0
    > nmi
    pio out 0x11 u8 0x1
    > nmi
    pio out 0x11 u8 0x2
    pio out 0x12 u8 0x2
    hlt
    = rax 0x2
    = rbx 0x2
    = ss.selector 0x4000
    = ss.base 0x40000
    = rsp 0x2000
    = rflags *
    = mem 0x41ffa u16 [* 0x0 *]
    ${touch ? "= mem 0x41f00 u8 0x1" : ""}
  `,
}));
