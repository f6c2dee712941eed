import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { became, becomeXen, clocks, layouts, raised, requires, SHARED } from "./_xen.ts";

interface Row {
  /** EAX, EBX, ECX and EDX. */
  call: readonly [number, number, number, number];
  /** Words of 32 bits at `at`. */
  words?: readonly number[];
  at?: number;
  /** Ports at 0xa100. */
  ports?: readonly number[];
  /** One that is pending. */
  pending?: number;
  /** The vCPU's timer has port 9, and it is raised. */
  fires?: true;
  /** -errno, or 0. */
  result: number;
}

const [SET_TIMER, VCPU, SCHED, EVENT] = [15, 24, 29, 32];
const [POLL, SET_SINGLE, SEND] = [3, 8, 4];
const at = 0xa000, nowhere = 0xd0000000;
const EFAULT = -14, EINVAL = -22;

const rows: Record<string, Row> = {
  // The address of the ports, how many, and 64 bits of a timeout.
  "poll": {
    call: [SCHED, POLL, at, 0],
    words: [0xa100, 1, 0, 0],
    ports: [77],
    pending: 77,
    result: 0,
  },
  "poll-second": {
    call: [SCHED, POLL, at, 0],
    words: [0xa100, 3, 0, 0],
    ports: [5, 77, 1],
    pending: 77,
    result: 0,
  },
  "poll-last-port": {
    call: [SCHED, POLL, at, 0],
    words: [0xa100, 1, 0, 0],
    ports: [1023],
    pending: 1023,
    result: 0,
  },
  "poll-port-beyond": {
    call: [SCHED, POLL, at, 0],
    words: [0xa100, 1, 0, 0],
    ports: [1024],
    result: EINVAL,
  },
  "poll-timeout": {
    call: [SCHED, POLL, at, 0],
    words: [0xa100, 1, 1000000, 0],
    ports: [5],
    pending: 77,
    result: 0,
  },
  // The structure has 16 bytes, up to the end of memory here, and not one more.
  "poll-end-of-memory": {
    call: [SCHED, POLL, 0x1fff0, 0],
    at: 0x1fff0,
    words: [0xa100, 1, 0, 0],
    ports: [77],
    pending: 77,
    result: 0,
  },
  "poll-nowhere": { call: [SCHED, POLL, nowhere, 0], result: EFAULT },
  "timer": { call: [SET_TIMER, 1, 0, 0], fires: true, result: 0 },
  // The upper half of the time is the second parameter.
  "timer-never": { call: [SET_TIMER, 1, 0x3fff, 0], result: 0 },
  "single-shot": { call: [VCPU, SET_SINGLE, 0, at], words: [1, 0, 0], fires: true, result: 0 },
  "single-shot-never": { call: [VCPU, SET_SINGLE, 0, at], words: [1, 0x3fff, 0], result: 0 },
  // 12 bytes without the padding of 64-bit code.
  "single-shot-end-of-memory": {
    call: [VCPU, SET_SINGLE, 0, 0x1fff4],
    at: 0x1fff4,
    words: [1, 0, 0],
    fires: true,
    result: 0,
  },
  "single-shot-nowhere": { call: [VCPU, SET_SINGLE, 0, 0x1fff8], result: EFAULT },
  // Port 21 leads to port 9 of the guest.
  "send": { call: [EVENT, SEND, at, 0], words: [21], fires: true, result: 0 },
};

const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;

/** The operations of a guest of 32 bits, whose parameters are in EBX, ECX and EDX. */
export default defineCases("xen/operation-32-bit", byEachCall(rows), ({ row, call }) => {
  const { call: [eax, ebx, ecx, edx], words = [], ports = [], pending, fires, result } = row;
  const bits = SHARED + layouts[32].pending;
  // What the upper half of RAX holds in 32-bit code is not defined.
  const rax = result === 0
    ? "0x0"
    : `${hex(result)}|0x${BigInt.asUintN(64, BigInt(result)).toString(16)}`;
  return {
    spec: [
      "KVM API 8.30: KVM_CAP_XEN_HVM (KVM_XEN_HVM_CONFIG_EVTCHN_SEND)",
      "KVM API 4.126: KVM_XEN_HVM_SET_ATTR (KVM_XEN_ATTR_TYPE_LONG_MODE)",
    ],
    mode: "protected" as const,
    irqchip: "kernel" as const,
    requires: [...requires, call.requires],
    registers: { rax: BigInt(eax), rbx: BigInt(ebx), rcx: BigInt(ecx), rdx: BigInt(edx) },
    guest: asm`
      ${pending ? `mov byte [${bits + (pending >> 3)}], ${1 << (pending & 7)}` : ""}
      ${call.instruction}
      out 0xf4, al
    `,
    drive: (context) => {
      const { vm, vcpu, write } = context;
      becomeXen(context, 32);
      vcpu.xen.setAttribute("timer", {
        timer: { port: 9, priority: 0xffffffff, expires_ns: 0n },
      });
      vm.xen.setAttribute("evtchn-port", {
        evtchn: {
          send_port: 21,
          type: 2,
          flags: 0,
          deliver: { port: { port: 9, vcpu: 0, priority: 0xffffffff } },
        },
      });
      write(row.at ?? at, new Uint8Array(Uint32Array.from(words).buffer));
      write(0xa100, new Uint8Array(Uint32Array.from(ports).buffer));
    },
    trace: `
      ${became}
      > set-xen-vcpu timer
      > set-xen evtchn-port
      pio out 0xf4 u8 ${hex(result & 0xff)}
      = rax ${rax}
      ${clocks(32)}
      ${pending ? raised(pending, 32, false) : ""}
      ${fires ? `${raised(9, 32)}\n= mem 0xc000 u8 0x1` : ""}
    `,
  };
});
