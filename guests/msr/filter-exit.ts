import { asm, defineCases } from "../../mod.ts";

/** KVM_MSR_EXIT_REASON_INVAL, _UNKNOWN and _FILTER. */
const [INVAL, UNKNOWN, FILTER] = [1, 2, 4];

interface Row {
  reasons: number;
  access: "rdmsr" | "wrmsr";
  index: number;
  exit: string;
  /** The port that the guest reports to: 0x10 behind the access, 0x11 in the handler of #GP. */
  then: "0x10" | "0x11";
  state?: string;
}

const value = 0x1122334455667788n;

const rows: Record<string, Row> = {
  "read-answered": {
    reasons: FILTER,
    access: "rdmsr",
    index: 0x175,
    exit: "rdmsr 0x175 reason=filter -> 0x8877665544332211",
    then: "0x10",
    state: "= rax 0x44332211\n= rdx 0x88776655",
  },
  "read-refused": {
    reasons: FILTER,
    access: "rdmsr",
    index: 0x175,
    exit: "rdmsr 0x175 reason=filter -> error",
    then: "0x11",
  },
  // The host takes the write; KVM does not.
  "write-answered": {
    reasons: FILTER,
    access: "wrmsr",
    index: 0x175,
    exit: "wrmsr 0x175 0x1122334455667788 reason=filter",
    then: "0x10",
  },
  "write-refused": {
    reasons: FILTER,
    access: "wrmsr",
    index: 0x175,
    exit: "wrmsr 0x175 0x1122334455667788 reason=filter -> error",
    then: "0x11",
  },
  // A denied access comes for that reason and no other.
  "read-all-reasons": {
    reasons: INVAL | UNKNOWN | FILTER,
    access: "rdmsr",
    index: 0x175,
    exit: "rdmsr 0x175 reason=filter -> 0x1",
    then: "0x10",
    state: "= rax 0x1\n= rdx 0x0",
  },
  "denied-and-not-asked-for": {
    reasons: INVAL | UNKNOWN,
    access: "rdmsr",
    index: 0x175,
    exit: "",
    then: "0x11",
  },
  "write-denied-and-not-asked-for": {
    reasons: INVAL | UNKNOWN,
    access: "wrmsr",
    index: 0x175,
    exit: "",
    then: "0x11",
  },
  // What the filter lets through and KVM does not know is unknown.
  "allowed-and-unknown": {
    reasons: INVAL | UNKNOWN | FILTER,
    access: "rdmsr",
    index: 0x400000e0,
    exit: "rdmsr 0x400000e0 reason=unknown -> 0x2",
    then: "0x10",
    state: "= rax 0x2\n= rdx 0x0",
  },
  "allowed-and-unknown-not-asked-for": {
    reasons: INVAL | FILTER,
    access: "rdmsr",
    index: 0x400000e0,
    exit: "",
    then: "0x11",
  },
  // EFER is known, and none of these bits.
  "allowed-and-invalid": {
    reasons: INVAL | UNKNOWN | FILTER,
    access: "wrmsr",
    index: 0xc0000080,
    exit: "wrmsr 0xc0000080 0x1122334455667788 reason=inval",
    then: "0x10",
  },
  // An unknown MSR that the filter denies does not get so far as to be unknown.
  "denied-and-unknown": {
    reasons: INVAL | UNKNOWN | FILTER,
    access: "wrmsr",
    index: 0x400000f0,
    exit: "wrmsr 0x400000f0 0x1122334455667788 reason=filter",
    then: "0x10",
  },
};

/** The host answers the accesses that its filter denies, where it asked for that reason. */
export default defineCases("msr/filter-exit", rows, (row) => ({
  spec: [
    "KVM API 4.97: KVM_X86_SET_MSR_FILTER",
    "KVM API 7.21: KVM_CAP_X86_USER_SPACE_MSR",
    "KVM API 5: KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR",
  ],
  mode: "long",
  requires: [
    "KVM_CAP_X86_MSR_FILTER",
    "KVM_CAP_X86_USER_SPACE_MSR",
    { parameter: "kvm.ignore_msrs", value: "N" },
  ],
  handlers: { 13: "fault" },
  registers: {
    rax: value & 0xffffffffn,
    rcx: BigInt(row.index),
    rdx: value >> 32n,
  },
  guest: asm`
    access:
    ${row.access}
    out 0x10, al
    hlt
    fault:
    out 0x11, al
    hlt
  `,
  drive: ({ vm }) => {
    vm.enableCapability("KVM_CAP_X86_USER_SPACE_MSR", row.reasons);
    vm.setMsrFilter({
      ranges: [
        { access: "read-write", base: 0x175, count: 1, allowed: Uint8Array.of(0) },
        { access: "read-write", base: 0x400000f0, count: 1, allowed: Uint8Array.of(0) },
      ],
    });
  },
  trace: ({ access }) => `
    > enable x86-user-space-msr 0x${row.reasons.toString(16)}
    > msr-filter otherwise-allow read-write=0x175 read-write=0x400000f0
    ${row.exit}
    pio out ${row.then} u8 *
    hlt
    = msr.0x175 0x0
    ${row.state ?? ""}
    ${
    row.then === "0x11"
      ? `= rsp 0x7fd0\n= mem 0x7fd0 u64 [0x0 ${access} 0x28 0x10002 0x8000 0x30]`
      : ""
  }
  `,
}));
