import { asm, defineCases, type DriveContext } from "../../mod.ts";
import { type Call, calls } from "../_hypercall.ts";
import { vectors } from "../apic/_local_apics.ts";
import { became, becomeXen, clocks, requires, SHARED } from "./_xen.ts";

/** The other vCPU, which is the second, and where its vcpu_info lies. */
const ID = 5, INFO = 0xd000;
const TWO_LEVELS = 0xffffffff;
const [PORT, SENT] = [77, 21];
/** The byte of the port's bit. */
const PENDING = SHARED + 0x800 + (PORT >> 3);

interface Row {
  drive?: (context: DriveContext) => void;
  /** The other vCPU's timer has the port. */
  timer?: true;
  trace?: string;
  /** The guest sends to port 21. */
  call?: Call;
  /** It did so once before, when the port led to the first vCPU. */
  before?: true;
}

/** Where port 21 leads: to port 77 of a vCPU. */
const lead = ({ vm }: DriveContext, vcpu: number, flags = 0) =>
  vm.xen.setAttribute("evtchn-port", {
    evtchn: {
      send_port: SENT,
      type: 2,
      flags,
      deliver: { port: { port: PORT, vcpu, priority: TWO_LEVELS } },
    },
  });

/** The guest sends, by each vendor's instruction. */
const sends = (row: Row): [Row, Row] => [
  { ...row, call: calls.vmcall },
  { ...row, call: calls.vmmcall },
];
const [leadVmcall, leadVmmcall] = sends({
  drive: (context) => lead(context, ID),
  trace: "> set-xen evtchn-port",
});
const [updatedVmcall, updatedVmmcall] = sends({
  drive: (context) => {
    lead(context, 0);
    lead(context, ID, 2);
  },
  trace: "> set-xen evtchn-port\n> set-xen evtchn-port",
});

const [laterVmcall, laterVmmcall] = sends({
  before: true,
  drive: (context) => {
    lead(context, 0);
    context.run();
    lead(context, ID, 2);
  },
  trace: "> set-xen evtchn-port\npio out 0x10 u8 0x0\n> set-xen evtchn-port",
});

const rows: Record<string, Row> = {
  "sent": {
    drive: ({ vm }) => vm.xen.sendEvent(PORT, ID),
    trace: `> xen-event 0x${PORT.toString(16)} 0x${ID}`,
  },
  "routed": {
    drive: ({ vm }) => {
      vm.irq.setRouting([{ gsi: 24, port: PORT, vcpu: ID }]);
      vm.irq.setLineStatus(24, 1);
    },
    trace: "> routing entries=0x1\n> irq-line-status 0x18 0x1 -> 0x1",
  },
  "timer": { timer: true },
  "send-vmcall": leadVmcall,
  "send-vmmcall": leadVmmcall,
  "send-updated-vmcall": updatedVmcall,
  "send-updated-vmmcall": updatedVmmcall,
  "send-updated-later-vmcall": laterVmcall,
  "send-updated-later-vmmcall": laterVmmcall,
};

/** An event of another vCPU: its own vcpu_info and its own local APIC tell of it. */
export default defineCases(
  "xen/other-vcpu",
  rows,
  ({ drive, timer, trace = "", call, before }) => ({
    spec: [
      "KVM API 4.135: KVM_XEN_HVM_EVTCHN_SEND",
      "KVM API 4.126: KVM_XEN_HVM_SET_ATTR (KVM_XEN_ATTR_TYPE_EVTCHN)",
      "KVM API 4.128: KVM_XEN_VCPU_SET_ATTR (KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR, TIMER)",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, ...(call ? [call.requires] : [])],
    withoutLens: { restore: "a vCPU that the host makes beside it is not saved" },
    registers: { rax: 32n, rdi: 4n, rsi: 0xa000n, rbx: 0xfee00000n },
    guest: asm`
    mov dword [rbx + 0xf0], 0x1ff
    mov dword [0xa000], ${SENT}
    ${before ? `${call?.instruction}\nout 0x10, al\nmov byte [${PENDING}], 0\nmov eax, 32` : ""}
    ${call?.instruction ?? "xor eax, eax"}
    out 0xf4, al
  `,
    drive: (context) => {
      const { vm, vcpu, run, assertEquals } = context;
      using other = vm.createVcpu(ID);
      const page = other.lapic();
      new DataView(page.buffer).setUint32(0xf0, 0x1ff, true);
      other.setLapic(page);
      becomeXen(context);
      vcpu.xen.setAttribute("upcall-vector", { vector: 0x71 });
      other.xen.setAttribute("vcpu-info", { gpa: BigInt(INFO) });
      other.xen.setAttribute("upcall-vector", { vector: 0x82 });
      if (timer) {
        other.xen.setAttribute("timer", {
          timer: { port: PORT, priority: TWO_LEVELS, expires_ns: 1n },
        });
      }
      drive?.(context);
      run();
      assertEquals(
        "what is pending",
        [vectors(vcpu, 0x200), vectors(other, 0x200)],
        [before ? [0x71] : [], [0x82]],
      );
    },
    trace: `
    > set-lapic
    ${became}
    > set-xen-vcpu upcall-vector
    > set-xen-vcpu vcpu-info
    > set-xen-vcpu upcall-vector
    ${timer ? "> set-xen-vcpu timer" : ""}
    ${trace}
    pio out 0xf4 u8 0x0
    = rax 0x0
    ${call ? "" : "= rflags 0x46"}
    = mem 0xa000 u32 0x${SENT.toString(16)}
    ${clocks()}
    = mem 0x${PENDING.toString(16)} u8 0x${(1 << (PORT & 7)).toString(16)}
    = mem 0xd000 u8 0x1
    = mem 0xd008 u8 0x2
    ${before ? "= mem 0xc000 u8 0x1\n= mem 0xc008 u8 0x2" : ""}
  `,
  }),
);
