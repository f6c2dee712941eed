import { asm, defineCases, type DriveContext } from "../../mod.ts";
import { requires } from "./_xen.ts";

const TWO_LEVELS = 0xffffffff;
const [INTERDOMAIN, PIRQ, VIRQ, ITSELF] = [2, 3, 4, 5];
const [DEASSIGN, UPDATE, RESET] = [1, 2, 4];

interface Port {
  send_port?: number;
  type?: number;
  flags?: number;
  port?: number;
  vcpu?: number;
  priority?: number;
}

/** What is set, one after another, and the errno of each. */
type Row = readonly (readonly [Port | { fd: number }, string?])[];

const first = { send_port: 5, port: 6 };

const rows: Record<string, Row> = {
  "assigned-twice": [[first], [first, "EEXIST"]],
  "first-port-is-1": [[{ ...first, send_port: 0 }, "EINVAL"]],
  // 1,024 ports, as the guest's structures are those of 32 bits.
  "last-port": [[{ ...first, send_port: 1023 }], [{ ...first, send_port: 1024 }, "EINVAL"]],
  "last-target": [[{ ...first, port: 1023 }], [{ send_port: 7, port: 1024 }, "EINVAL"]],
  "to-itself": [
    [{ send_port: 5, type: ITSELF, port: 5 }],
    [{ send_port: 6, type: ITSELF, port: 7 }, "EINVAL"],
  ],
  "types": [
    [{ ...first, type: 0 }, "EINVAL"],
    [{ ...first, type: 1 }, "EINVAL"],
    [{ ...first, type: PIRQ }, "EINVAL"],
    [{ ...first, type: VIRQ }, "EINVAL"],
    [{ ...first, type: 6 }, "EINVAL"],
  ],
  "priority": [[{ ...first, priority: 0 }, "EINVAL"]],
  "flags": [[{ ...first, flags: DEASSIGN | UPDATE }, "EINVAL"], [{ ...first, flags: 8 }, "EINVAL"]],
  "deassigned": [
    [first],
    [{ ...first, flags: DEASSIGN }],
    [{ ...first, flags: DEASSIGN }, "ENOENT"],
    [first],
  ],
  "updated": [
    [first],
    [{ ...first, flags: UPDATE, vcpu: 3 }],
    [{ ...first, flags: UPDATE, port: 7 }, "EINVAL"],
    [{ ...first, flags: UPDATE, type: ITSELF }, "EINVAL"],
    [{ ...first, flags: UPDATE, priority: 1 }, "EINVAL"],
    [{ ...first, flags: UPDATE, send_port: 9 }, "ENOENT"],
  ],
  "reset": [
    [first],
    [{ ...first, send_port: 9 }],
    [{ send_port: 0, flags: RESET }],
    [{ ...first, flags: DEASSIGN }, "ENOENT"],
    [{ ...first, send_port: 9 }],
  ],
  "no-event": [[{ fd: -1 }, "EBADF"]],
};

function set({ vm }: DriveContext, one: Port | { fd: number }): void {
  if ("fd" in one) {
    vm.xen.setAttribute("evtchn-eventfd", {
      evtchn: {
        send_port: 5,
        type: INTERDOMAIN,
        flags: 0,
        deliver: { eventfd: { port: 0, fd: one.fd } },
      },
    });
    return;
  }
  const { send_port = 5, type = INTERDOMAIN, flags = 0, port = 0, vcpu = 0 } = one;
  const { priority = TWO_LEVELS } = one;
  vm.xen.setAttribute("evtchn-port", {
    evtchn: { send_port, type, flags, deliver: { port: { port, vcpu, priority } } },
  });
}

/** Where the ports that a guest sends to lead: assigned, updated, taken away and refused. */
export default defineCases("xen/event-attribute", rows, (row) => ({
  spec: "KVM API 4.126: KVM_XEN_HVM_SET_ATTR (KVM_XEN_ATTR_TYPE_EVTCHN)",
  mode: "long",
  irqchip: "kernel",
  requires,
  guest: asm`
    hlt
  `,
  drive: (context) => {
    for (const [one] of row) context.attempt(() => set(context, one));
  },
  trace: row.map(([one, errno]) =>
    `> set-xen ${"fd" in one ? "evtchn-eventfd" : "evtchn-port"}${errno ? ` -> ${errno}` : ""}`
  ).join("\n"),
}));
