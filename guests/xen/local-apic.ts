import { asm, defineCases } from "../../mod.ts";
import { became, becomeXen, clocks, raised, requires, VCPU_INFO } from "./_xen.ts";

/** Whether an event comes while the local APIC is off, and the vCPU's vector of upcalls. */
const rows = {
  "pending": { sent: true, vector: 0x71 },
  "nothing-pending": { sent: false, vector: 0x71 },
  "no-vector": { sent: true, vector: 0 },
} as const;

/** An upcall that comes while the local APIC is off is there when the guest switches it on again. */
export default defineCases("xen/local-apic", rows, ({ sent, vector }) => ({
  spec: "KVM API 4.128: KVM_XEN_VCPU_SET_ATTR (KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR)",
  mode: "long",
  irqchip: "kernel",
  requires,
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xf0], 0xff
    out 0x10, al
    mov eax, [rsi + 0x230]
    out 0x11, eax
    mov dword [rsi + 0xf0], 0x1ff
    mov eax, [rsi + 0x230]
    out 0x12, eax
    mov eax, [rsi + 0x280]            ; no error
    mov dword [rsi + 0x280], 0
    or eax, [rsi + 0x280]
    out 0xf4, eax
  `,
  drive: (context) => {
    const { vm, vcpu, run } = context;
    becomeXen(context);
    vcpu.xen.setAttribute("upcall-vector", { vector });
    run();
    if (sent) vm.xen.sendEvent(5, 0);
  },
  trace: `
    ${became}
    > set-xen-vcpu upcall-vector
    pio out 0x10 u8 0x0
    ${sent ? "> xen-event 0x5 0x0" : ""}
    pio out 0x11 u32 0x0
    pio out 0x12 u32 ${sent && vector ? "0x20000" : "0x0"}
    pio out 0xf4 u32 0x0
    = rflags 0x46
    ${clocks()}
    ${sent ? `${raised(5)}\n= mem 0x${VCPU_INFO.toString(16)} u8 0x1` : ""}
  `,
}));
