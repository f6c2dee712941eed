import { asm, defineCases, type MsrFilter } from "../../mod.ts";

/** IA32_SYSENTER_ESP stands for an MSR that all guests have; SYSENTER_EIP is its neighbour. */
const [ESP, EIP] = [0x175, 0x176];
/** CSTAR, and LSTAR before and SFMASK behind it. */
const [LSTAR, CSTAR, SFMASK] = [0xc0000082, 0xc0000083, 0xc0000084];

interface Row {
  filter: MsrFilter;
  /** For each of a few MSRs: whether RDMSR and WRMSR go through. */
  expect: readonly (readonly [index: number, read: boolean, write: boolean])[];
}

const one = (access: "read" | "write" | "read-write", base: number, bit: 0 | 1, count = 1) => ({
  access,
  base,
  count,
  allowed: Uint8Array.of(bit),
});

const rows: Record<string, Row> = {
  "deny-read": {
    filter: { ranges: [one("read", ESP, 0)] },
    expect: [[ESP, false, true], [EIP, true, true], [0x174, true, true]],
  },
  "deny-write": {
    filter: { ranges: [one("write", ESP, 0)] },
    expect: [[ESP, true, false], [EIP, true, true], [0x174, true, true]],
  },
  "deny-both": {
    filter: { ranges: [one("read-write", ESP, 0)] },
    expect: [[ESP, false, false], [EIP, true, true], [0x174, true, true]],
  },
  // A 1 in the bitmap allows what is allowed by default as well.
  "allow-in-a-range": {
    filter: {
      ranges: [{ access: "read-write", base: 0x174, count: 3, allowed: Uint8Array.of(0b101) }],
    },
    expect: [[0x174, true, true], [ESP, false, false], [EIP, true, true]],
  },
  "default-deny": {
    filter: { otherwise: "deny", ranges: [one("read-write", ESP, 1)] },
    expect: [[ESP, true, true], [EIP, false, false], [0x174, false, false], [CSTAR, false, false]],
  },
  // A range that decides on reads alone leaves writes to the default.
  "default-deny-read-allowed": {
    filter: { otherwise: "deny", ranges: [one("read", ESP, 1)] },
    expect: [[ESP, true, false], [EIP, false, false]],
  },
  "default-deny-write-allowed": {
    filter: { otherwise: "deny", ranges: [one("write", ESP, 1)] },
    expect: [[ESP, false, true], [EIP, false, false]],
  },
  // The bitmap's edges: the MSR before its first bit and the one after its last are not covered.
  "edges-of-one": {
    filter: { ranges: [one("read-write", CSTAR, 0)] },
    expect: [[LSTAR, true, true], [CSTAR, false, false], [SFMASK, true, true]],
  },
  "edges-of-eight": {
    filter: { ranges: [one("read-write", CSTAR - 8, 0, 8)] },
    expect: [[LSTAR, false, false], [CSTAR, true, true]],
  },
  "last-of-eight": {
    filter: { ranges: [one("read-write", CSTAR - 7, 0, 8)] },
    expect: [[LSTAR, false, false], [CSTAR, false, false], [SFMASK, true, true]],
  },
  // The 65th bit is the first of the second word.
  "second-word": {
    filter: {
      ranges: [{
        access: "read-write",
        base: ESP - 64,
        count: 66,
        allowed: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x2),
      }],
    },
    expect: [[0x174, true, true], [ESP, false, false], [EIP, true, true]],
  },
  // 0x600 bytes of bitmap, the most there can be, and its last bit.
  largest: {
    filter: {
      ranges: [{
        access: "read-write",
        base: CSTAR - 0x2fff,
        allowed: new Uint8Array(0x600).fill(0xff, 0, 0x5ff).fill(0x7f, 0x5ff),
      }],
    },
    expect: [[LSTAR, true, true], [CSTAR, false, false], [SFMASK, true, true]],
  },
  // The first range that covers an access decides.
  "first-of-two": {
    filter: { ranges: [one("read-write", ESP, 0), one("read-write", ESP, 1)] },
    expect: [[ESP, false, false]],
  },
  "first-of-two-allows": {
    filter: { ranges: [one("read-write", ESP, 1), one("read-write", ESP, 0)] },
    expect: [[ESP, true, true]],
  },
  // One range for each kind of access.
  "two-kinds": {
    filter: { ranges: [one("read", ESP, 0), one("write", EIP, 0)] },
    expect: [[ESP, false, true], [EIP, true, false]],
  },
  // All sixteen, of which the last says something.
  sixteen: {
    filter: {
      ranges: [
        ...Array.from({ length: 15 }, (_, number) => one("read-write", 0x40010000 + number, 0)),
        one("read-write", ESP, 0),
      ],
    },
    expect: [[ESP, false, false], [EIP, true, true]],
  },
  off: { filter: {}, expect: [[ESP, true, true], [CSTAR, true, true]] },
};

/** A denied RDMSR or WRMSR is a #GP(0) without an effect; an allowed one works as ever. */
export default defineCases("msr/filter", rows, ({ filter, expect }) => ({
  spec: "KVM API 4.97: KVM_X86_SET_MSR_FILTER",
  mode: "long",
  requires: ["KVM_CAP_X86_MSR_FILTER"],
  handlers: { 13: "fault" },
  guest: asm`
    ${
    expect.map(([index], number) => `
      mov ecx, ${index}
      mov al, 0
      mov esi, read_${number}
      rdmsr
      mov al, 1
      read_${number}:
      out 0x10, al
      mov eax, ${0x10 + number}
      xor edx, edx
      mov esi, written_${number}
      wrmsr
      mov al, 1
      written_${number}:
      out 0x11, al
    `).join("\n")
  }
    xor eax, eax
    xor ecx, ecx
    xor edx, edx
    xor esi, esi
    hlt
    fault:
    pop rax
    mov esp, 0x8000
    jmp rsi
  `,
  drive: ({ vm, vcpu }) => {
    // KVM_GET_MSRS and KVM_SET_MSRS are the host's and pass every filter.
    vm.setMsrFilter(filter);
    vcpu.setMsrs([{ index: expect[0][0], data: 0n }]);
  },
  trace: `
    > msr-filter ${
    [
      `otherwise-${filter.otherwise ?? "allow"}`,
      ...(filter.ranges ?? []).map(({ access, base }) => `${access}=0x${base.toString(16)}`),
    ].join(" ")
  }
    > set-msrs msr.0x${expect[0][0].toString(16)}=* -> 0x1
    ${
    expect.map(([, read, write]) => `
      pio out 0x10 u8 ${read ? "0x1" : "0x0"}
      pio out 0x11 u8 ${write ? "0x1" : "0x0"}
    `).join("\n")
  }
    hlt
    = rflags *
    ${
    expect.map(([index, , write], number) =>
      `= msr.0x${index.toString(16)} 0x${(write ? 0x10 + number : 0).toString(16)}`
    ).join("\n")
  }
    ${
    expect.some(([, read, write]) => !read || !write)
      ? "= mem 0x7fd0 u64 [0x0 * 0x28 * 0x8000 0x30]"
      : ""
  }
  `,
}));
