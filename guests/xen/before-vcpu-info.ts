import { asm, defineCases } from "../../mod.ts";
import {
  became,
  becomeXen,
  clocks,
  hearUpcall,
  raised,
  requires,
  VCPU_INFO,
  type Width,
} from "./_xen.ts";

interface Row {
  width?: Width;
  port: number;
  /** Whose vector it is that tells of an upcall. */
  vector?: "vm" | "vcpu";
}

const NONE = (1n << 64n) - 1n;

const rows: Record<string, Row> = {
  "no-vector": { port: 5 },
  "vector-of-vm": { port: 130, vector: "vm" },
  "vector-of-vcpu": { port: 4095, vector: "vcpu" },
  "32-bit": { width: 32, port: 5 },
  "32-bit-vector-of-vcpu": { width: 32, port: 1023, vector: "vcpu" },
};

/** An event that comes while there is no vcpu_info is told of as soon as there is one. */
export default defineCases("xen/before-vcpu-info", rows, ({ width = 64, port, vector }) => ({
  spec: [
    "KVM API 4.135: KVM_XEN_HVM_EVTCHN_SEND",
    "KVM API 4.128: KVM_XEN_VCPU_SET_ATTR (KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, UPCALL_VECTOR)",
  ],
  mode: "long",
  irqchip: "kernel",
  requires,
  registers: { rsi: 0xfee00000n },
  handlers: { 0x71: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    out 0x10, al
    ${hearUpcall(vector)}
  `,
  drive: (context) => {
    const { vm, vcpu, run } = context;
    becomeXen(context, width);
    if (vector === "vm") vm.xen.setAttribute("upcall-vector", { vector: 0x71 });
    if (vector === "vcpu") vcpu.xen.setAttribute("upcall-vector", { vector: 0x71 });
    run();
    vcpu.xen.setAttribute("vcpu-info", { gpa: NONE });
    vm.xen.sendEvent(port, 0);
    vcpu.xen.setAttribute("vcpu-info", { gpa: BigInt(VCPU_INFO) });
  },
  trace: `
    ${became}
    ${vector === "vm" ? "> set-xen upcall-vector" : ""}
    ${vector === "vcpu" ? "> set-xen-vcpu upcall-vector" : ""}
    pio out 0x10 u8 0x0
    > set-xen-vcpu vcpu-info
    > xen-event 0x${port.toString(16)} 0x0
    > set-xen-vcpu vcpu-info
    pio out 0x11 u32 ${vector === "vcpu" ? "0x20000" : "0x0"}
    pio out 0x12 u32 0x1
    pio out 0xf4 u8 0x0
    ${vector ? "= rbx 0x1\n= mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]" : "= mem 0x7ff8 u64 0x202"}
    = rflags 0x46
    ${clocks(width)}
    ${raised(port, width)}
  `,
}));
