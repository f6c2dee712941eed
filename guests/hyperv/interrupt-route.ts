import { asm, defineCases, EventFd } from "../../mod.ts";
import { requires, underHyperv } from "./_hyperv.ts";

interface Row {
  /** The processor's index and the source of the route. */
  processor: number;
  source: number;
  /** The index that the host gives the processor. */
  index?: number;
  /** What the source's register holds. */
  sint: number;
  arrives: boolean;
}

const rows: Record<string, Row> = {
  "first": { processor: 0, source: 1, sint: 0x71, arrives: true },
  "last": { processor: 0, source: 15, sint: 0x71, arrives: true },
  "index": { processor: 5, source: 2, index: 5, sint: 0x71, arrives: true },
  "another-index": { processor: 0, source: 2, index: 5, sint: 0x71, arrives: false },
  "masked": { processor: 0, source: 2, sint: 0x10071, arrives: false },
  // There are 16 of them.
  "source-beyond": { processor: 0, source: 16, sint: 0x71, arrives: false },
};

/** A GSI that is routed to a synthetic source raises its vector, and the EOI resamples the GSI. */
export default defineCases("hyperv/interrupt-route", rows, (row) => {
  const { processor, source, index, sint, arrives } = row;
  return {
    spec: [
      "KVM API 4.52: KVM_SET_GSI_ROUTING (KVM_IRQ_ROUTING_HV_SINT)",
      "KVM API 4.75: KVM_IRQFD (resampling)",
      "KVM API 8.2: KVM_CAP_HYPERV_SYNIC",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, "KVM_CAP_HYPERV_SYNIC2"],
    registers: { rsi: 0xfee00000n },
    ...underHyperv({
      handlers: { 0x71: "handler" },
      guest: asm`
        mov dword [rsi + 0xf0], 0x1ff
        mov ecx, ${0x40000090 + (source & 15)}
        mov eax, ${sint}
        xor edx, edx
        wrmsr
        xor eax, eax
        xor ecx, ecx
        out 0x10, al
        mov eax, [rsi + 0x230]
        out 0x11, eax
        xor eax, eax
        push 0x202
        popfq
        nop
        cli
        out 0xf4, al
        handler:
        inc ebx
        mov dword [rsi + 0xb0], 0
        iretq
      `,
      trace: `
        > enable hyperv-synic2
        ${index === undefined ? "" : `> set-msrs msr.0x40000002=0x${index.toString(16)} -> 0x1`}
        > routing entries=0x1
        > irqfd 0x18 resample
        pio out 0x10 u8 0x0
        pio out 0x11 u32 ${arrives ? "0x20000" : "0x0"}
        pio out 0xf4 u8 0x0
        > resampled -> ${arrives ? "0x1" : "0x0"}
        > irqfd-release 0x18
        ${arrives ? "= rbx 0x1\n= mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]" : "= mem 0x7ff8 u64 0x202"}
      `,
    }, ({ vcpu, vm, run, note }) => {
      using event = new EventFd();
      using resample = new EventFd();
      vcpu.enableCapability("KVM_CAP_HYPERV_SYNIC2");
      if (index !== undefined) vcpu.setMsrs([{ index: 0x40000002, data: BigInt(index) }]);
      vm.irq.setRouting([{ gsi: 24, sint: source, vcpu: processor }]);
      vm.irq.assignEventFd(event, 24, resample);
      run();
      event.signal(1n);
      run();
      run();
      note("resampled", [], resample.take());
      vm.irq.releaseEventFd(event, 24);
    }),
  };
});
