import { asm, defineCases } from "../../mod.ts";
import { afterExits, hypervisor, machine, prepare, recorded, requires } from "./_vmx.ts";

const rows = {
  "single-step": {
    code: "at:\nnop\nnext:\nnop",
    debug: { singleStep: true },
    action: "single-step",
    stops: ["at", "next"],
  },
  "software-breakpoint": {
    code: "nop\nat:\nint3",
    debug: { softwareBreakpoints: true },
    action: "software-breakpoints",
    stops: ["at"],
  },
} as const;

/** What the host debugs comes to the host, whatever the hypervisor in between asks for. */
export default defineCases(
  "nested-vmx/guest-debug",
  rows,
  ({ code, debug, action, stops }, name) => ({
    spec: [
      "KVM API 4.87: KVM_SET_GUEST_DEBUG",
      "KVM API 5: KVM_EXIT_DEBUG",
    ],
    mode: "long",
    requires: [...requires, "KVM_CAP_SET_GUEST_DEBUG"],
    machine,
    guest: asm`
      ${hypervisor()}
      nested:
      out 0x12, al
      ${code}
      called:
      vmcall
      out 0xee, al
    `,
    drive: (context) => {
      const { vcpu, run, write, labels } = context;
      prepare(context, { fields: { exceptionBitmap: 1 << 1 | 1 << 3 } });
      run();
      vcpu.setGuestDebug(debug);
      for (const _ of stops) run();
      vcpu.setGuestDebug();
      // Another instruction takes the place of the breakpoint.
      if (name === "software-breakpoint") write(labels.get("at")!, Uint8Array.of(0x90));
      run();
    },
    trace: (labels) => `
      pio out 0x12 u8 0x0
      > guest-debug ${action}
      ${
      stops.map((stop) =>
        `debug exception=${action === "single-step" ? "0x1" : "0x3"} rip=${labels[stop]} dr6=*`
      ).join("\n")
    }
      > guest-debug off
      hlt
      ${recorded([{ exitReason: 18, instructionLength: 3, guestRip: labels.called }])}
      ${afterExits}
    `,
  }),
);
