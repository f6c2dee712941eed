import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "../interrupt/_pic.ts";

const PERIOD = 20, PAUSE = 130, TICKS = 12;
const count = Math.round(PERIOD * 1193.182);

/**
 * Ticks that elapse while the guest takes none are queued: it has all of them by the time that the
 * last one is due, and no period for each behind the pause.
 */
export default defineCase({
  id: "timer/pit-lost-ticks",
  spec: ["KVM API 4.99: KVM_REINJECT_CONTROL (reinject is the default)", "Intel 8254: mode 2"],
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  handlers: { 0x20: "handler" },
  guest: asm`
    ${initializePics({ masterMask: 0xfe })}
    mov al, 0x34
    out 0x43, al
    mov al, ${count & 0xff}
    out 0x40, al
    mov al, ${count >> 8}
    out 0x40, al
    out 0x10, al                    ; the host pauses
    again:
    sti
    hlt
    cli
    cmp ebx, ${TICKS}
    jb again
    xor eax, eax
    out 0xf4, al
    handler:
    inc ebx
    mov al, 0x20
    out 0x20, al
    iretq
  `,
  drive({ run, vm, assertEquals }) {
    vm.irq.createPit();
    run();
    const begin = performance.now();
    while (performance.now() < begin + PAUSE);
    const resumed = performance.now();
    run();
    // One of them waits in the PIC.
    const periods = (performance.now() - resumed) / PERIOD;
    assertEquals("periods behind the pause", periods < TICKS - 1.5 || periods, true);
  },
  trace: `
    > pit
    pio out 0x10 u8 0x${(count >> 8).toString(16)}
    pio out 0xf4 u8 0x0
    = rbx 0x${TICKS.toString(16)}
    = rflags 0x46
    = mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]
  `,
});
