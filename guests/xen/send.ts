import { asm, defineCases, EventFd } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { became, becomeXen, clocks, raised, requires } from "./_xen.ts";

interface Row {
  /** Where the port that is sent to leads. */
  leads?: "port" | "event" | "itself";
  /** The port that it leads to is masked. */
  masked?: true;
  /** The address of the parameter; default 0xa000. */
  at?: bigint;
  /** RAX behind it; the host answers where KVM does not know the port. */
  result?: bigint;
  exits?: true;
}

const rows: Record<string, Row> = {
  "to-port": { leads: "port" },
  "to-itself": { leads: "itself" },
  "to-masked-port": { leads: "port", masked: true },
  "to-event": { leads: "event" },
  "unknown-port": { exits: true, result: 0xffffffffffffffean },
  // -EFAULT
  "parameter-nowhere": { at: 0xd00000000n, leads: "event", result: 0xfffffffffffffff2n },
};

const PORT = 21;

/** EVTCHNOP_send of a port that leads to another port of the guest, or to an eventfd. */
export default defineCases("xen/send", byEachCall(rows), ({ row, call }) => {
  const { leads, masked, at = 0xa000n, result = 0n, exits } = row;
  const local = leads === "port" ? 34 : PORT;
  return {
    spec: [
      "KVM API 4.126: KVM_XEN_HVM_SET_ATTR (KVM_XEN_ATTR_TYPE_EVTCHN)",
      "KVM API 8.30: KVM_CAP_XEN_HVM (KVM_XEN_HVM_CONFIG_EVTCHN_SEND)",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, call.requires],
    // __HYPERVISOR_event_channel_op, and its command 4.
    registers: { rax: 32n, rdi: 4n, rsi: at },
    guest: asm`
      mov dword [0xa000], ${PORT}
      ${masked ? `mov byte [0xba00 + ${local >> 3}], ${1 << (local & 7)}` : ""}
      ${call.instruction}
      out 0xf4, al
    `,
    drive: (context) => {
      const { vm, run, note } = context;
      using event = new EventFd();
      becomeXen(context);
      if (leads === "event") {
        vm.xen.setAttribute("evtchn-eventfd", {
          evtchn: {
            send_port: PORT,
            type: 2,
            flags: 0,
            deliver: { eventfd: { port: 0, fd: event.fd } },
          },
        });
      } else if (leads !== undefined) {
        vm.xen.setAttribute("evtchn-port", {
          evtchn: {
            send_port: PORT,
            type: leads === "itself" ? 5 : 2,
            flags: 0,
            deliver: { port: { port: local, vcpu: 0, priority: 0xffffffff } },
          },
        });
      }
      run();
      if (exits) run();
      if (leads === "event") note("signalled", [], event.take());
    },
    trace: `
      ${became}
      ${leads === "event" ? "> set-xen evtchn-eventfd" : leads ? "> set-xen evtchn-port" : ""}
      ${
      exits ? "xen-hypercall 0x20 [0x4 0xa000 * * * *] long=0x1 cpl=0x0 -> 0xffffffffffffffea" : ""
    }
      pio out 0xf4 u8 0x${(result & 0xffn).toString(16)}
      ${leads === "event" ? `> signalled -> ${at === 0xa000n ? "0x1" : "0x0"}` : ""}
      = rax 0x${result.toString(16)}
      = mem 0xa000 u32 0x${PORT.toString(16)}
      ${clocks()}
      ${leads === "port" || leads === "itself" ? `${raised(local, 64, !masked)}` : ""}
      ${(leads === "port" || leads === "itself") && !masked ? "= mem 0xc000 u8 0x1" : ""}
      ${
      masked
        ? `= mem 0x${(0xba00 + (local >> 3)).toString(16)} u8 0x${(1 << (local & 7)).toString(16)}`
        : ""
    }
    `,
  };
});
