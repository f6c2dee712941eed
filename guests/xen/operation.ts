import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { became, becomeXen, clocks, raised, requires, SHARED } from "./_xen.ts";

interface Row {
  /** RAX, RDI, RSI and RDX. */
  call: readonly [bigint, bigint, bigint, bigint];
  /** 64-bit words at 0xa000. */
  words?: readonly bigint[];
  /** Ports, in words of 32 bits, at 0xa100. */
  ports?: readonly number[];
  /** One that is pending. */
  pending?: number;
  /** The port of the vCPU's timer. */
  timer?: number;
  /** It is raised. */
  fires?: true;
  /** The host gets it, as these arguments. */
  exit?: string;
  result: bigint;
}

const [SET_TIMER, VCPU, SCHED] = [15n, 24n, 29n];
const [YIELD, POLL] = [0n, 3n];
const [SET_SINGLE, STOP_SINGLE] = [8n, 9n];
const at = 0xa000n, nowhere = 0xd00000000n;
const EFAULT = (1n << 64n) - 14n, EINVAL = (1n << 64n) - 22n, ENOSYS = (1n << 64n) - 38n;
/** The far future. */
const never = 0x3fffffffffffn;

const rows: Record<string, Row> = {
  "yield": { call: [SCHED, YIELD, 0n, 0n], result: 0n },
  "sched-unknown": {
    call: [SCHED, 2n, 0x11n, 0x22n],
    exit: "0x1d [0x2 0x11 0x22 * * *]",
    result: ENOSYS,
  },
  // Pending already.
  "poll": {
    call: [SCHED, POLL, at, 0n],
    words: [0xa100n, 1n, 0n],
    ports: [77],
    pending: 77,
    result: 0n,
  },
  "poll-second": {
    call: [SCHED, POLL, at, 0n],
    words: [0xa100n, 3n, 0n],
    ports: [5, 77, 1],
    pending: 77,
    result: 0n,
  },
  "poll-last-port": {
    call: [SCHED, POLL, at, 0n],
    words: [0xa100n, 1n, 0n],
    ports: [4095],
    pending: 4095,
    result: 0n,
  },
  // Nothing is: until 1 ms is over.
  "poll-timeout": {
    call: [SCHED, POLL, at, 0n],
    words: [0xa100n, 2n, 1000000n],
    ports: [5, 6],
    pending: 77,
    result: 0n,
  },
  "poll-timeout-alone": {
    call: [SCHED, POLL, at, 0n],
    words: [0xa100n, 1n, 1000000n],
    ports: [5],
    pending: 77,
    result: 0n,
  },
  "poll-port-beyond": {
    call: [SCHED, POLL, at, 0n],
    words: [0xa100n, 2n, 0n],
    ports: [77, 4096],
    pending: 77,
    result: EINVAL,
  },
  "poll-port-beyond-alone": {
    call: [SCHED, POLL, at, 0n],
    words: [0xa100n, 1n, 0n],
    ports: [4096],
    result: EINVAL,
  },
  "poll-too-many": { call: [SCHED, POLL, at, 0n], words: [0xa100n, 129n, 0n], result: EINVAL },
  "poll-as-many-as-may-be": {
    call: [SCHED, POLL, at, 0n],
    words: [0xa100n, 128n, 0n],
    ports: Array(128).fill(77),
    pending: 77,
    result: 0n,
  },
  "poll-parameter-nowhere": { call: [SCHED, POLL, nowhere, 0n], result: EFAULT },
  "poll-ports-nowhere": {
    call: [SCHED, POLL, at, 0n],
    words: [nowhere, 1n, 0n],
    result: EFAULT,
  },
  "poll-many-ports-nowhere": {
    call: [SCHED, POLL, at, 0n],
    words: [nowhere, 2n, 0n],
    result: EFAULT,
  },
  // The past: at once.
  "timer": { call: [SET_TIMER, 1n, 0n, 0n], timer: 9, fires: true, result: 0n },
  "timer-stopped": { call: [SET_TIMER, 0n, 0n, 0n], timer: 9, result: 0n },
  "timer-never": { call: [SET_TIMER, never, 0n, 0n], timer: 9, result: 0n },
  "timer-without-port": {
    call: [SET_TIMER, 1n, 0n, 0n],
    exit: "0xf [0x1 0x0 0x0 * * *]",
    result: ENOSYS,
  },
  "single-shot": {
    call: [VCPU, SET_SINGLE, 0n, at],
    words: [1n, 0n],
    timer: 9,
    fires: true,
    result: 0n,
  },
  "single-shot-never": {
    call: [VCPU, SET_SINGLE, 0n, at],
    words: [never, 0n],
    timer: 9,
    result: 0n,
  },
  "single-shot-of-another": {
    call: [VCPU, SET_SINGLE, 1n, at],
    words: [1n, 0n],
    timer: 9,
    result: EINVAL,
  },
  "single-shot-nowhere": { call: [VCPU, SET_SINGLE, 0n, nowhere], timer: 9, result: EFAULT },
  "single-shot-stopped": { call: [VCPU, STOP_SINGLE, 0n, 0n], timer: 9, result: 0n },
  "single-shot-of-another-stopped": {
    call: [VCPU, STOP_SINGLE, 1n, 0n],
    timer: 9,
    result: EINVAL,
  },
  "vcpu-unknown": {
    call: [VCPU, 10n, 0n, at],
    timer: 9,
    exit: "0x18 [0xa 0x0 0xa000 * * *]",
    result: ENOSYS,
  },
  "single-shot-without-port": {
    call: [VCPU, SET_SINGLE, 0n, at],
    words: [1n, 0n],
    exit: "0x18 [0x8 0x0 0xa000 * * *]",
    result: ENOSYS,
  },
};

const hex = (value: bigint | number) => `0x${value.toString(16)}`;

/** Xen's operations of scheduling and timers that KVM carries out by itself. */
export default defineCases("xen/operation", byEachCall(rows), ({ row, call }) => {
  const { call: [rax, rdi, rsi, rdx], words, ports, pending, timer, fires, exit, result } = row;
  return {
    spec: [
      "KVM API 8.30: KVM_CAP_XEN_HVM (KVM_XEN_HVM_CONFIG_EVTCHN_SEND)",
      "KVM API 4.128: KVM_XEN_VCPU_SET_ATTR (KVM_XEN_VCPU_ATTR_TYPE_TIMER)",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, call.requires],
    registers: { rax, rdi, rsi, rdx },
    guest: asm`
      ${pending ? `mov byte [${SHARED + 0x800 + (pending >> 3)}], ${1 << (pending & 7)}` : ""}
      ${call.instruction}
      out 0xf4, al
    `,
    drive: (context) => {
      becomeXen(context);
      if (timer) {
        context.vcpu.xen.setAttribute("timer", {
          timer: { port: timer, priority: 0xffffffff, expires_ns: 0n },
        });
      }
      if (words) context.write(0xa000, new Uint8Array(BigUint64Array.from(words).buffer));
      if (ports) context.write(0xa100, new Uint8Array(Uint32Array.from(ports).buffer));
    },
    trace: `
      ${became}
      ${timer ? "> set-xen-vcpu timer" : ""}
      ${exit ? `xen-hypercall ${exit} long=0x1 cpl=0x0 -> ${hex(result)}` : ""}
      pio out 0xf4 u8 ${hex(result & 0xffn)}
      = rax ${hex(result)}
      ${clocks()}
      ${pending ? raised(pending, 64, false) : ""}
      ${fires && timer ? `${raised(timer)}\n= mem 0xc000 u8 0x1` : ""}
    `,
  };
});
