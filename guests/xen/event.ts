import { asm, defineCases } from "../../mod.ts";
import {
  became,
  becomeXen,
  clocks,
  hearUpcall,
  layouts,
  raised,
  requires,
  SHARED,
  VCPU_INFO,
  type Width,
} from "./_xen.ts";

interface Row {
  width?: Width;
  port: number;
  /** The guest has masked it. */
  masked?: true;
  /** It is pending already. */
  pending?: true;
  /** Whose vector it is that tells of an upcall. */
  vector?: "vm" | "vcpu";
  /** It comes by a routed GSI rather than from KVM_XEN_HVM_EVTCHN_SEND. */
  routed?: true;
  /** Another port of the same word was told of and not yet heard: the selector is set. */
  told?: true;
  /** The errno. */
  refused?: string;
  vcpu?: number;
  priority?: number;
  /** There is no vcpu_info. */
  nowhere?: true;
}

const rows: Record<string, Row> = {
  "first": { port: 1 },
  "word-end": { port: 63 },
  "second-word": { port: 64 },
  "last": { port: 4095 },
  "32-bit": { width: 32, port: 1 },
  "32-bit-second-word": { width: 32, port: 32 },
  "32-bit-last": { width: 32, port: 1023 },
  "masked": { port: 77, masked: true },
  "32-bit-masked": { width: 32, port: 77, masked: true },
  "pending": { port: 77, pending: true },
  "vector-of-vm": { port: 5, vector: "vm" },
  "vector-of-vcpu": { port: 5, vector: "vcpu" },
  "vector-of-vm-masked": { port: 5, vector: "vm", masked: true },
  "vector-of-vcpu-masked": { port: 5, vector: "vcpu", masked: true },
  "vector-of-vcpu-pending": { port: 5, vector: "vcpu", pending: true },
  "32-bit-vector-of-vcpu": { width: 32, port: 900, vector: "vcpu" },
  // One upcall is enough for a word.
  "word-told": { port: 5, told: true, vector: "vcpu" },
  "32-bit-word-told": { width: 32, port: 5, told: true, vector: "vcpu" },
  "routed": { port: 99, routed: true },
  "routed-masked": { port: 99, routed: true, masked: true },
  "routed-vector-of-vcpu": { port: 99, routed: true, vector: "vcpu" },
  "routed-vector-of-vm": { port: 99, routed: true, vector: "vm" },
  "port-0": { port: 0, refused: "EINVAL" },
  "port-beyond": { port: 4096, refused: "EINVAL" },
  "32-bit-port-beyond": { width: 32, port: 1024, refused: "EINVAL" },
  "no-such-vcpu": { port: 5, vcpu: 7, refused: "EINVAL" },
  "priority": { port: 5, priority: 0, refused: "EINVAL" },
};

/** An event channel that is raised: its bit in the shared page, the vCPU's selector, its upcall. */
export default defineCases("xen/event", rows, (row) => {
  const { width = 64, port, masked, pending, vector, routed, told, refused } = row;
  const target = row.vcpu ?? 0;
  const { pending: bits, mask, selector } = layouts[width];
  const bit = 1 << (port & 7);
  const arrives = !refused && !masked && !pending && !told;
  const hex = (value: number) => `0x${value.toString(16)}`;
  return {
    spec: [
      "KVM API 4.135: KVM_XEN_HVM_EVTCHN_SEND",
      "KVM API 4.126: KVM_XEN_HVM_SET_ATTR; 4.128: KVM_XEN_VCPU_SET_ATTR (UPCALL_VECTOR)",
      "KVM API 4.52: KVM_SET_GSI_ROUTING (KVM_IRQ_ROUTING_XEN_EVTCHN)",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires,
    registers: { rsi: 0xfee00000n },
    handlers: { 0x71: "handler" },
    guest: asm`
      mov dword [rsi + 0xf0], 0x1ff
      ${masked ? `mov byte [${SHARED + mask + (port >> 3)}], ${bit}` : ""}
      ${pending ? `mov byte [${SHARED + bits + (port >> 3)}], ${bit}` : ""}
      ${told ? `mov byte [${VCPU_INFO + selector}], 1` : ""}
      out 0x10, al
      ${hearUpcall(vector)}
    `,
    drive: (context) => {
      const { vm, vcpu, run, attempt } = context;
      becomeXen(context, width);
      if (vector === "vm") vm.xen.setAttribute("upcall-vector", { vector: 0x71 });
      if (vector === "vcpu") vcpu.xen.setAttribute("upcall-vector", { vector: 0x71 });
      if (routed) vm.irq.setRouting([{ gsi: 24, port, vcpu: target }]);
      run();
      if (routed) vm.irq.setLineStatus(24, 1);
      else attempt(() => vm.xen.sendEvent(port, target, row.priority));
    },
    trace: `
      ${became}
      ${vector === "vm" ? "> set-xen upcall-vector" : ""}
      ${vector === "vcpu" ? "> set-xen-vcpu upcall-vector" : ""}
      ${routed ? "> routing entries=0x1" : ""}
      pio out 0x10 u8 0x0
      ${
      routed
        ? `> irq-line-status 0x18 0x1 -> ${arrives ? "0x1" : "ignored"}`
        : `> xen-event ${hex(port)} ${hex(target)}${refused ? ` -> ${refused}` : ""}`
    }
      pio out 0x11 u32 ${arrives && vector === "vcpu" ? "0x20000" : "0x0"}
      pio out 0x12 u32 ${arrives ? "0x1" : "0x0"}
      pio out 0xf4 u8 0x0
      ${
      arrives && vector
        ? "= rbx 0x1\n= mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]"
        : "= mem 0x7ff8 u64 0x202"
    }
      = rflags 0x46
      ${clocks(width)}
      ${masked ? `= mem ${hex(SHARED + mask + (port >> 3))} u8 ${hex(bit)}` : ""}
      ${refused ? "" : raised(port, width, arrives || told === true)}
    `,
  };
});
