import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";

const negative = (errno: bigint) => BigInt.asUintN(64, -errno);
const [EFAULT, EOPNOTSUPP] = [14n, 95n];
/** Flag of KVM_GET_CLOCK: the host's time is counted by its TSC (KVM API 4.29). */
const KVM_CLOCK_HOST_TSC = 8;

const pattern = (words: number): string[] => Array(words).fill("0xa5a5a5a5");

const rows: Record<string, { readonly base: number; readonly address?: bigint }> = {
  "written": { base: 0xa000 },
  // 64 bytes from 0xafe0 on.
  "straddles": { base: 0xafd0 },
  "no-memory": { base: 0xa000, address: 0xd0000000n },
};

/** The host's time and the guest's TSC of the same moment, 64 bytes; no answer without a host's TSC. */
export default defineCases("paravirt/clock-pairing", byEachCall(rows), ({ row, call }) => ({
  spec: "KVM x86 hypercalls: KVM_HC_CLOCK_PAIRING",
  mode: "long",
  requires: [call.requires, "KVM_CAP_ADJUST_CLOCK"],
  withoutLens: { restore: "the time between two readings of the TSC is not the guest's alone" },
  registers: { rbx: row.address ?? BigInt(row.base + 16), rcx: 0n },
  guest: asm`
    cld
    mov edi, ${row.base}
    mov ecx, 24
    mov eax, 0xa5a5a5a5
    rep stosd                       ; 16 bytes before what is written, and 16 behind
    rdtsc
    mov [0xc000], eax
    mov [0xc004], edx
    mov eax, 9
    ${call.instruction}
    mov rsi, rax
    rdtsc
    mov [0xc008], eax
    mov [0xc00c], edx
    hlt
  `,
  drive({ vm, vcpu, run, read, assertEquals }) {
    const before = Date.now();
    run();
    const after = Date.now();
    // KVM knows when a guest has run.
    const counted = (vm.clock().flags & KVM_CLOCK_HOST_TSC) !== 0;
    const answer = !counted ? negative(EOPNOTSUPP) : row.address ? negative(EFAULT) : 0n;
    assertEquals("what the hypercall answers", vcpu.regs().rsi, answer);
    const pair = new DataView(read(row.base + 16, 64).buffer);
    if (answer !== 0n) {
      const words = Array.from({ length: 16 }, (_, index) => pair.getUint32(4 * index, true));
      assertEquals("whether nothing is written", words.every((word) => word === 0xa5a5a5a5), true);
      return;
    }
    const [seconds, nanoseconds] = [pair.getBigInt64(0, true), pair.getBigInt64(8, true)];
    const milliseconds = Number(seconds) * 1000 + Number(nanoseconds) / 1e6;
    // The host's clock may be set meanwhile, but not by a minute.
    assertEquals("whether it is the host's time", milliseconds > before - 60_000, true);
    assertEquals("whether it is the host's time yet", milliseconds < after + 60_000, true);
    assertEquals("whether nanoseconds are below a second", nanoseconds < 10n ** 9n, true);
    const tsc = pair.getBigUint64(16, true);
    const around = new DataView(read(0xc000, 16).buffer);
    const [first, last] = [around.getBigUint64(0, true), around.getBigUint64(8, true)];
    assertEquals("whether the TSC is the guest's", first <= tsc && tsc <= last, true);
    assertEquals("flags", pair.getUint32(24, true), 0);
    const padding = new Uint8Array(pair.buffer, 28);
    assertEquals("whether the rest is 0", padding.every((byte) => byte === 0), true);
  },
  trace: `
    hlt
    = rax *
    = rcx 0x0
    = rdx *
    = rsi *
    = rdi 0x${(row.base + 0x60).toString(16)}
    = mem 0x${row.base.toString(16)} u32 [${
    [...pattern(4), ...Array(16).fill("*"), ...pattern(4)].join(" ")
  }]
    = mem 0xc000 u64 [* *]
  `,
}));
