import { asm, defineCases, type DriveContext } from "../../mod.ts";

const [IA32_TIME_STAMP_COUNTER, IA32_TSC_ADJUST] = [0x10, 0x3b];
/** So far no guest's counter runs on while a case lasts. */
const [STEP, SLACK] = [1n << 50n, 1n << 45n];

interface Row {
  /** What moves the counter between the guest's two looks at it. */
  readonly move: (context: DriveContext) => void;
  readonly line: string;
  /** How far the guest's counter, and the offset that KVM tells, have moved. */
  readonly counter: bigint;
  readonly offset: bigint;
  /** IA32_TSC_ADJUST then. */
  readonly adjust: bigint;
}

const rows: Record<string, Row> = {
  "not": { move: () => {}, line: "", counter: 0n, offset: 0n, adjust: 0n },
  "by-offset": {
    move: ({ vcpu }) => vcpu.setTscOffset(BigInt.asUintN(64, vcpu.tscOffset() + STEP)),
    line: "> set-tsc-offset",
    counter: STEP,
    offset: STEP,
    adjust: 0n,
  },
  "back-by-offset": {
    move: ({ vcpu }) => vcpu.setTscOffset(BigInt.asUintN(64, vcpu.tscOffset() - STEP)),
    line: "> set-tsc-offset",
    counter: -STEP,
    offset: -STEP,
    adjust: 0n,
  },
  // What the guest's write has moved is in the counter already: a host that restores it moves nothing.
  "not-by-adjust": {
    move: ({ vcpu }) => {
      vcpu.setMsrs([{ index: IA32_TSC_ADJUST, data: STEP }]);
    },
    line: `> set-msrs msr.0x3b=0x${STEP.toString(16)} -> 0x1`,
    counter: 0n,
    offset: 0n,
    adjust: STEP,
  },
};

/** The guest's counter is the host's and an offset, which the host moves and the guest cannot tell. */
export default defineCases("state/tsc-moved", rows, ({ move, line, counter, offset, adjust }) => ({
  spec: [
    "KVM API 4.80: KVM_SET_DEVICE_ATTR, KVM_VCPU_TSC_OFFSET of a vCPU",
    "KVM API 4.19: KVM_SET_MSRS",
    "SDM 3B 18.17.3: IA32_TSC_ADJUST",
  ],
  mode: "long",
  requires: ["KVM_CAP_VCPU_ATTRIBUTES", { cpuid: "TSC-ADJUST" }],
  withoutLens: { restore: "the counter goes on from where it was saved, by another offset" },
  guest: asm`
    rdtsc
    mov ebx, eax
    shl rdx, 32
    or rbx, rdx
    out 0x10, al                    ; the host moves it
    rdtsc
    mov esi, eax
    shl rdx, 32
    or rsi, rdx
    mov ecx, 0x3b
    rdmsr
    shl rdx, 32
    or rax, rdx
    hlt
  `,
  drive(context) {
    const { vcpu, run, assertEquals } = context;
    run();
    const before = vcpu.tscOffset();
    move(context);
    const moved = BigInt.asIntN(64, vcpu.tscOffset() - before);
    assertEquals("the offset has moved by", moved, offset);
    const host = vcpu.msrs([IA32_TIME_STAMP_COUNTER])[0]!.data;
    run();
    const { rbx: first, rsi: second, rax } = vcpu.regs();
    // Modulo 2^64: a counter that is moved back below 0 is a large one.
    const passed = BigInt.asIntN(64, second - first - counter);
    const apart = BigInt.asIntN(64, second - host);
    assertEquals("the counter has moved as far", passed >= 0n && passed < SLACK, true);
    assertEquals("the host reads the same", apart >= 0n && apart < SLACK, true);
    assertEquals("IA32_TSC_ADJUST", rax, adjust);
  },
  trace: `
    pio out 0x10 u8 *
    ${line}
    hlt
    = rax *
    = rbx *
    = rcx 0x3b
    = rdx *
    = rsi *
    = rflags *
  `,
}));
