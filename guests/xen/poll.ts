import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { became, becomeXen, clocks, raised, requires, SHARED } from "./_xen.ts";

interface Row {
  /** The ports that the vCPU waits for. */
  ports: readonly number[];
  /** The port that comes is masked. */
  masked?: true;
}

/** The port of the vCPU's timer. */
const PORT = 77;

const rows: Record<string, Row> = {
  "port": { ports: [PORT] },
  "port-masked": { ports: [PORT], masked: true },
  "one-of-three": { ports: [5, PORT, 4095] },
  "one-of-three-masked": { ports: [5, 4095, PORT], masked: true },
};

/** SCHEDOP_poll without a timeout sleeps until one of its ports is raised, masked or not. */
export default defineCases("xen/poll", byEachCall(rows), ({ row: { ports, masked }, call }) => ({
  spec: [
    "KVM API 8.30: KVM_CAP_XEN_HVM (KVM_XEN_HVM_CONFIG_EVTCHN_SEND: SCHEDOP_poll)",
    "KVM API 4.128: KVM_XEN_VCPU_SET_ATTR (KVM_XEN_VCPU_ATTR_TYPE_TIMER)",
  ],
  mode: "long",
  irqchip: "kernel",
  requires: [...requires, call.requires],
  // __HYPERVISOR_sched_op, SCHEDOP_poll.
  registers: { rax: 29n, rdi: 3n, rsi: 0xa000n },
  guest: asm`
    ${call.instruction}
    out 0xf4, al
  `,
  drive: (context) => {
    const { vm, vcpu, write } = context;
    becomeXen(context);
    const words = BigUint64Array.of(0xa100n, BigInt(ports.length), 0n);
    write(0xa000, new Uint8Array(words.buffer));
    write(0xa100, new Uint8Array(Uint32Array.from(ports).buffer));
    if (masked) write(SHARED + 0xa00 + (PORT >> 3), Uint8Array.of(1 << (PORT & 7)));
    // 50 ms from now.
    const expires_ns = vm.clock().clock + 50_000_000n;
    vcpu.xen.setAttribute("timer", { timer: { port: PORT, priority: 0xffffffff, expires_ns } });
  },
  trace: `
    ${became}
    > set-xen-vcpu timer
    pio out 0xf4 u8 0x0
    = rax 0x0
    ${clocks()}
    ${raised(PORT, 64, !masked)}
    ${masked ? "" : "= mem 0xc000 u8 0x1"}
  `,
}));
