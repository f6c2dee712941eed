import { asm, defineCases } from "../../mod.ts";

/** Each entry of the local vector table, and the bits that it keeps but for the mask. */
const entries = {
  timer: { offset: 0x320, keeps: 0x200ff },
  thermal: { offset: 0x330, keeps: 0x7ff },
  performance: { offset: 0x340, keeps: 0x7ff },
  lint0: { offset: 0x350, keeps: 0xa7ff },
  lint1: { offset: 0x360, keeps: 0xa7ff },
  error: { offset: 0x370, keeps: 0xff },
};

const hex = (value: number) => `0x${value.toString(16)}`;

/**
 * An entry of the local vector table can be unmasked while SVR enables the APIC; disabling it masks
 * the entry and changes no other bit, and it stays masked until it is written again.
 */
export default defineCases("apic/lvt", entries, ({ offset, keeps }) => ({
  spec: [
    "SDM 3A 10.5.1: local vector table",
    "SDM 3A 10.4.7.2: local APIC state after it has been software disabled",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + ${offset}], 0xfffaafff; all but delivery status, Remote IRR, mask, mode bit 18
    mov eax, [rsi + ${offset}]
    out 0x10, eax
    mov dword [rsi + 0xf0], 0xff
    mov eax, [rsi + ${offset}]
    out 0x11, eax
    mov dword [rsi + ${offset}], 0x31
    mov eax, [rsi + ${offset}]
    out 0x12, eax
    mov dword [rsi + 0xf0], 0x1ff
    mov eax, [rsi + ${offset}]
    out 0x13, eax
    mov dword [rsi + ${offset}], 0x32
    mov eax, [rsi + ${offset}]
    out 0x14, eax
    mov dword [rsi + ${offset}], 0x10033
    mov eax, [rsi + ${offset}]
    out 0x15, eax
    mov eax, 0
    out 0xf4, al
  `,
  drive({ run, vcpu, assertEquals }) {
    const others = () =>
      Object.values(entries).filter((entry) => entry.offset !== offset)
        .map((entry) => new DataView(vcpu.lapic().buffer).getUint32(entry.offset, true));
    const before = others();
    run();
    assertEquals("the other entries", others(), before);
    run();
    // LINT0 is the one that starts unmasked.
    assertEquals("the other entries, disabled", others(), before.map((value) => value | 0x10000));
  },
  trace: `
    pio out 0x10 u32 ${hex(keeps)}
    pio out 0x11 u32 ${hex(keeps | 0x10000)}
    pio out 0x12 u32 0x10031
    pio out 0x13 u32 0x10031
    pio out 0x14 u32 0x32
    pio out 0x15 u32 0x10033
    pio out 0xf4 u8 0x0
  `,
}));
