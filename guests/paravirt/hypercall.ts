import { asm, defineCases, type ModeName, type Requirement } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";

interface Row {
  mode?: ModeName;
  privilege?: 0 | 3;
  requires?: Requirement;
  number: bigint;
  arguments?: readonly bigint[];
  /** RAX behind it. */
  answer: bigint;
}

const negative = (errno: bigint) => BigInt.asUintN(64, -errno);
const [EPERM, EOPNOTSUPP, ENOSYS] = [1n, 95n, 1000n];

const rows: Record<string, Row> = {
  "poll-irq": { number: 1n, answer: 0n },
  "unknown": { number: 99n, answer: negative(ENOSYS) },
  "unknown-0": { number: 0n, answer: negative(ENOSYS) },
  "removed-mmu-op": { number: 2n, answer: negative(ENOSYS) },
  // All 64 bits of the number count in 64-bit mode.
  "high-number": { number: 0x100000001n, answer: negative(ENOSYS) },
  "user": { privilege: 3, number: 1n, answer: negative(EPERM) },
  "unknown-user": { privilege: 3, number: 99n, answer: negative(EPERM) },
  "protected": { mode: "protected", number: 1n, answer: 0n },
  // Outside 64-bit mode the lower halves are what there is.
  "protected-high-half": { mode: "protected", number: 0x700000001n, answer: 0n },
  "unknown-protected": {
    mode: "protected",
    number: 99n,
    answer: BigInt.asUintN(32, -ENOSYS),
  },
  "kick": {
    requires: { cpuid: "KVM-PV-UNHALT" },
    number: 5n,
    arguments: [0n, 0n],
    answer: 0n,
  },
  "yield": {
    requires: { cpuid: "KVM-PV-SCHED-YIELD" },
    number: 11n,
    arguments: [0n],
    answer: 0n,
  },
  // No pairing but with the wall clock, which is 0.
  "clock-pairing-type": { number: 9n, arguments: [0xa000n, 1n], answer: negative(EOPNOTSUPP) },
  // Without KVM_CAP_EXIT_HYPERCALL.
  "map-range-not-enabled": {
    number: 12n,
    arguments: [0xa000n, 1n, 0x10n],
    answer: negative(ENOSYS),
  },
};

/** A hypercall's number is in RAX, its arguments in RBX, RCX, RDX and RSI, its answer in RAX. */
export default defineCases("paravirt/hypercall", byEachCall(rows), ({ row, call }) => {
  const { mode = "long", privilege = 0, requires, number, arguments: given = [], answer } = row;
  const [rbx = 0n, rcx = 0n, rdx = 0n, rsi = 0n] = given;
  return {
    spec: "KVM x86 hypercalls: ABI, KVM_HC_*",
    mode,
    requires: [call.requires, ...(requires ? [requires] : [])],
    machine: { privilege, rflags: { set: 0x8d5n } },
    registers: { rax: number, rbx, rcx, rdx, rsi, rdi: 0xd0000000n },
    guest: asm`
      ${call.instruction}
      mov [0xa010], eax
      ${mode === "long" ? "mov [0xa010], rax" : ""}
      ${privilege === 3 ? "mov [rdi], al" : "hlt"}
    `,
    trace: privilege === 3
      ? `
        mmio write 0xd0000000 u8 0x${(answer & 0xffn).toString(16)}
        = mem 0xa010 u64 0x${answer.toString(16)}
        = rax 0x${answer.toString(16)}
      `
      : `
        hlt
        = rax 0x${answer.toString(16)}
        = mem 0xa010 u64 0x${answer.toString(16)}
      `,
  };
});
