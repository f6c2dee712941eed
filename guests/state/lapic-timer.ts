import { asm, defineCases } from "../../mod.ts";

const rows = {
  // Some two seconds, of which a quarter of a millisecond is left.
  "one-shot": { lvt: 0x71, initial: 0x70000000, current: 0x40000, interrupts: 1, left: "0x0" },
  // A current count of more than the initial one is none: it begins with that.
  "one-shot-more": { lvt: 0x71, initial: 0x40000, current: 0x70000000, interrupts: 1, left: "0x0" },
  periodic: { lvt: 0x20071, initial: 0x100000, current: 0x40000, interrupts: 3, left: "*" },
  // Without a current count it begins anew.
  "periodic-anew": { lvt: 0x20071, initial: 0x100000, current: 0, interrupts: 3, left: "*" },
};

/** The timer of a local APIC goes on from the current count that KVM_SET_LAPIC was given. */
export default defineCases("state/lapic-timer", rows, (row) => ({
  spec: ["KVM API 4.58: KVM_SET_LAPIC", "SDM 3A 11.5.4: APIC timer"],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  handlers: { 0x71: "handler" },
  guest: asm`
    sti
    waiting:
    pause
    cmp ebx, ${row.interrupts}
    jb waiting
    cli
    mov ebx, ${row.interrupts}                      ; or more
    mov ecx, [rsi + 0x380]          ; initial count
    mov edx, [rsi + 0x390]          ; current count
    cmp eax, eax
    out 0xf4, al
    handler:
    inc ebx
    mov dword [rsi + 0xb0], 0
    iretq
  `,
  drive({ vcpu, assertEquals }) {
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    view.setUint32(0xf0, 0x1ff, true);
    view.setUint32(0x3e0, 0xb, true); // divide by 1
    view.setUint32(0x320, row.lvt, true);
    view.setUint32(0x380, row.initial, true);
    view.setUint32(0x390, row.current, true);
    vcpu.setLapic(page);
    const now = new DataView(vcpu.lapic().buffer).getUint32(0x390, true);
    // A periodic one may have gone round.
    const most = row.interrupts === 1 ? Math.min(row.initial, row.current) : row.initial;
    assertEquals("no more than is left", now <= most, true);
  },
  trace: `
    > set-lapic
    pio out 0xf4 u8 0x0
    = rbx 0x${row.interrupts}
    = rcx 0x${row.initial.toString(16)}
    = rdx ${row.left}
    = rflags 0x46
    = mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]
  `,
}));
