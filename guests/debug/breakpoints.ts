import { asm, defineCases } from "../../mod.ts";

/** DR7: enable bits, and LE and GE, and bit 10. */
const rows = {
  "all-four": { dr7: 0x4aan, stops: [0, 1, 2, 3] },
  "local-enables": { dr7: 0x455n, stops: [0, 1, 2, 3] },
  "first-and-last": { dr7: 0x482n, stops: [0, 3] },
  "the-middle": { dr7: 0x418n, stops: [1, 2] },
  none: { dr7: 0x400n, stops: [] },
  // LE and GE alone enable nothing.
  "exact-bits-alone": { dr7: 0x700n, stops: [] },
} as const;

/** Each breakpoint that DR7 enables stops the guest once, and DR6 names it alone. */
export default defineCases("debug/breakpoints", rows, ({ dr7, stops }) => ({
  spec: [
    "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_USE_HW_BP)",
    "SDM 3B 18.2.4: DR7 (L0-L3, G0-G3, LE, GE)",
    "SDM 3B 18.3.1.1: instruction-breakpoint exception condition",
  ],
  mode: "long",
  requires: ["KVM_CAP_SET_GUEST_DEBUG"],
  guest: asm`
    nop
    at_0:
    add al, 1
    at_1:
    add al, 2
    at_2:
    add al, 4
    at_3:
    add al, 8
    hlt
  `,
  drive: ({ run, vcpu, labels }) => {
    const addresses = [0, 1, 2, 3].map((place) => labels.get(`at_${place}`)!);
    for (const stop of stops) {
      // Past the last stop: the breakpoints ahead of here are left.
      const ahead = addresses.map((address, place) => place < stop ? 0xffff0000n : address);
      vcpu.setGuestDebug({ hardwareBreakpoints: { addresses: ahead, dr7 } });
      run();
    }
    vcpu.setGuestDebug(
      stops.length > 0 ? {} : { hardwareBreakpoints: { addresses, dr7 } },
    );
  },
  trace: (labels) => `
    ${
    stops.map((stop) => `
      > guest-debug hardware-breakpoints
      debug exception=0x1 rip=${labels[`at_${stop}`]} dr6=0x${
      (0xffff0ff0 + (1 << stop)).toString(16)
    }
    `).join("\n")
  }
    > guest-debug ${stops.length > 0 ? "off" : "hardware-breakpoints"}
    hlt
    = rax 0xf
    = rflags 0x6
  `,
}));
