import { asm, defineCases, type MsrEntry } from "../../mod.ts";

const [SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP, STAR, PAT, LSTAR] = [
  0x174,
  0x175,
  0x176,
  0xc0000081,
  0x277,
  0xc0000082,
];
/** An MSR that no processor and no hypervisor's interface has (SDM 4, chapter 2). */
const UNKNOWN = 0x400000e0;

interface Row {
  entries: MsrEntry[];
  /** How many are written. */
  count: number;
  /** What the MSRs hold afterwards. */
  left: string;
}

const rows: Record<string, Row> = {
  none: { entries: [], count: 0, left: "" },
  all: {
    entries: [
      { index: SYSENTER_CS, data: 0x28n },
      { index: SYSENTER_ESP, data: 0x1234n },
      { index: STAR, data: 0x3b002800000000n },
    ],
    count: 3,
    left: "= msr.0x174 0x28\n= msr.0x175 0x1234\n= msr.0xc0000081 0x3b002800000000",
  },
  "unknown-first": {
    entries: [{ index: UNKNOWN, data: 1n }, { index: SYSENTER_ESP, data: 0x1234n }],
    count: 0,
    left: "= msr.0x175 0x0",
  },
  "unknown-in-the-middle": {
    entries: [
      { index: SYSENTER_ESP, data: 0x1234n },
      { index: UNKNOWN, data: 1n },
      { index: SYSENTER_EIP, data: 0x5678n },
    ],
    count: 1,
    left: "= msr.0x175 0x1234\n= msr.0x176 0x0",
  },
  "unknown-last": {
    entries: [
      { index: SYSENTER_ESP, data: 0x1234n },
      { index: SYSENTER_EIP, data: 0x5678n },
      { index: UNKNOWN, data: 1n },
    ],
    count: 2,
    left: "= msr.0x175 0x1234\n= msr.0x176 0x5678",
  },
  // A value that the MSR cannot hold stops it as an unknown MSR does.
  "not-canonical": {
    entries: [
      { index: SYSENTER_ESP, data: 0x1234n },
      { index: LSTAR, data: 0x100000000000000n },
      { index: SYSENTER_EIP, data: 0x5678n },
    ],
    count: 1,
    left: "= msr.0x175 0x1234\n= msr.0xc0000082 0x0\n= msr.0x176 0x0",
  },
  "reserved-memory-type": {
    entries: [
      { index: PAT, data: 0x0007040600070405n },
      { index: PAT, data: 0x0007040600070402n },
      { index: SYSENTER_EIP, data: 0x5678n },
    ],
    count: 1,
    left: "= msr.0x277 0x7040600070405\n= msr.0x176 0x0",
  },
  // In order: the last value stays.
  "the-same-twice": {
    entries: [{ index: STAR, data: 0x1n }, { index: STAR, data: 0x2n }],
    count: 2,
    left: "= msr.0xc0000081 0x2",
  },
};

/** KVM_SET_MSRS writes in order up to the first MSR that it refuses, and tells how many. */
export default defineCases("msr/set-partial", rows, ({ entries, count, left }) => ({
  spec: "KVM API 4.19: KVM_SET_MSRS",
  mode: "long",
  requires: [{ parameter: "kvm.ignore_msrs", value: "N" }],
  guest: asm`hlt`,
  drive: ({ vcpu, attempt, assertEquals, run }) => {
    let written = -1;
    attempt(() => written = vcpu.setMsrs(entries));
    assertEquals("MSRs written", written, count);
    run();
  },
  trace: `
    > set-msrs ${
    entries.map(({ index, data }) => `msr.0x${index.toString(16)}=0x${data.toString(16)}`).join(" ")
  } -> 0x${count.toString(16)}
    hlt
    ${left}
  `,
}));
