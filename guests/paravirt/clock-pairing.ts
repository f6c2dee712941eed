import { asm, CLOCK_HOST_TSC, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";

/** Guest physical address of the guest's `struct kvm_clock_pairing`, 64 bytes, and of its end. */
const [PAIRING, END] = [0xa040, 0xa080];
const EOPNOTSUPP = 0xffffffffffffffa1n;

const rows = byEachCall({ wall: 0n });

/** The host's real time and the guest's time-stamp counter of one moment. */
export default defineCases("paravirt/clock-pairing", rows, ({ call }) => ({
  spec: "KVM x86 hypercalls: KVM_HC_CLOCK_PAIRING",
  mode: "long",
  requires: [call.requires, { capability: "KVM_CAP_ADJUST_CLOCK", atLeast: CLOCK_HOST_TSC }],
  registers: { rbx: BigInt(PAIRING), rcx: 0n },
  guest: asm`
    out 0x10, al
    rdtsc
    mov edi, edx
    shl rdi, 32
    or rdi, rax
    mov eax, 9
    ${call.instruction}
    mov rsi, rax
    rdtsc
    hlt
  `,
  drive({ vm, vcpu, run, read, write, assertEquals }) {
    run();
    write(PAIRING - 8, new Uint8Array(0x50).fill(0xee));
    run();
    const { rdi: before, rsi: answer, rax, rdx } = vcpu.regs();
    const after = rdx << 32n | rax;
    const there = answer === 0n;
    // It is there where the host's clock is the time-stamp counter, as it is if KVM_GET_CLOCK has it.
    const counts = (vm.clock().flags & CLOCK_HOST_TSC) !== 0;
    assertEquals("the answer", answer, there || counts ? 0n : EOPNOTSUPP);
    const view = new DataView(read(PAIRING - 8, 0x50).buffer);
    const around = [view.getBigUint64(0, true), view.getBigUint64(8 + END - PAIRING, true)];
    assertEquals("what is around it", around, [0xeeeeeeeeeeeeeeeen, 0xeeeeeeeeeeeeeeeen]);
    if (there) {
      const [seconds, nanoseconds, counter] = [8, 16, 24].map((at) => view.getBigUint64(at, true));
      // An hour is the difference that no host has.
      const apart = Math.abs(Number(seconds) - Date.now() / 1000);
      assertEquals("the host's time", apart < 3600, true);
      assertEquals("nanoseconds below a second", nanoseconds! < 1_000_000_000n, true);
      assertEquals("the guest's counter", before <= counter! && counter! <= after, true);
      const rest = new Uint8Array(view.buffer, view.byteOffset + 32, 40);
      assertEquals("flags and padding", rest.every((byte) => byte === 0), true);
    } else {
      assertEquals("nothing is written", view.getBigUint64(8, true), 0xeeeeeeeeeeeeeeeen);
    }
    write(PAIRING - 8, new Uint8Array(0x50));
  },
  trace: `
    pio out 0x10 u8 0x0
    hlt
    = rax *
    = rdx *
    = rsi 0x0|0x${EOPNOTSUPP.toString(16)}
    = rdi *
    = rflags *
  `,
}));
