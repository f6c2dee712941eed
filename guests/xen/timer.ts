import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { became, becomeXen, clocks, raised, requires, SHARED } from "./_xen.ts";

interface Row {
  /** VCPUOP_set_singleshot_timer instead of set_timer_op. */
  single?: true;
  timeout: bigint;
  /** Until when it is on then; 0 for not any more. */
  expires: bigint | "within-13-days";
  fires?: true;
}

const PORT = 9;

const rows: Record<string, Row> = {
  "far": { timeout: 0x3fffffffffffn, expires: 0x3fffffffffffn },
  "past": { timeout: 1n, expires: 0n, fires: true },
  // A timeout below 0, or more than 2^50 ns from now, is what an overflow makes: it is 100 ms.
  "negative": { timeout: (1n << 64n) - 1n, expires: "within-13-days" },
  "beyond": { timeout: 1n << 60n, expires: "within-13-days" },
  "beyond-just": { timeout: 1n << 51n, expires: "within-13-days" },
  // But not for this one.
  "single-shot-beyond": { single: true, timeout: 1n << 60n, expires: 1n << 60n },
};

/** The timer of a Xen guest's vCPU: until when it is on, whether it fires at once, and its end. */
export default defineCases("xen/timer", byEachCall(rows), ({ row, call }) => {
  const { single, timeout, expires, fires } = row;
  return {
    spec: [
      "KVM API 8.30: KVM_CAP_XEN_HVM (KVM_XEN_HVM_CONFIG_EVTCHN_SEND: timers)",
      "KVM API 4.129: KVM_XEN_VCPU_GET_ATTR (KVM_XEN_VCPU_ATTR_TYPE_TIMER)",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, call.requires],
    guest: asm`
      ${
      single
        ? "mov eax, 24\nmov edi, 8\nxor esi, esi\nmov edx, 0xa000" // set_singleshot_timer
        : `mov eax, 15\nmov rdi, ${timeout}` // set_timer_op
    }
      ${call.instruction}
      movzx ebx, byte [${SHARED + 0x800 + (PORT >> 3)}]
      out 0x10, al
      mov eax, 15                     ; a timeout of 0 stops it
      xor edi, edi
      ${call.instruction}
      out 0xf4, al
    `,
    drive: (context) => {
      const { vcpu, run, write, assertEquals } = context;
      const port = { port: PORT, priority: 0xffffffff };
      becomeXen(context);
      vcpu.xen.setAttribute("timer", { timer: { ...port, expires_ns: 0n } });
      write(0xa000, new Uint8Array(BigUint64Array.of(timeout, 0n).buffer));
      run();
      const { timer } = vcpu.xen.attribute("timer");
      if (expires === "within-13-days") {
        assertEquals("within 13 days", timer.expires_ns < 1n << 50n, true);
      } else {
        assertEquals("the timer", timer, { ...port, expires_ns: expires });
      }
      run();
      assertEquals("at last", vcpu.xen.attribute("timer"), {
        timer: { ...port, expires_ns: 0n },
      });
    },
    trace: `
      ${became}
      > set-xen-vcpu timer
      pio out 0x10 u8 0x0
      pio out 0xf4 u8 0x0
      = rax 0x0
      = rbx 0x${fires ? (1 << (PORT & 7)).toString(16) : "0"}
      = rdi 0x0
      ${single ? "= rdx 0xa000" : ""}
      = rflags 0x46
      ${clocks()}
      ${fires ? `${raised(PORT)}\n= mem 0xc000 u8 0x1` : ""}
    `,
  };
});
