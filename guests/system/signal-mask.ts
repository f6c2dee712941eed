import { asm, defineCases, ioctl } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

const rows = { "0-bytes": 0, "4-bytes": 4, "7-bytes": 7, "16-bytes": 16, "128-bytes": 128 };

/** A signal mask has the kernel's 8 bytes; another size is refused, and the mask that was set stays. */
export default defineCases("system/signal-mask", rows, (length) => ({
  spec: ["KVM API 4.21: KVM_SET_SIGNAL_MASK (struct kvm_signal_mask, len)"],
  mode: "real",
  guest: asm`
    out 0x10, al
    again:
    jmp again
  `,
  drive({ vcpu, run, assertEquals }) {
    run();
    const mask = new DataView(new ArrayBuffer(4 + 128));
    mask.setUint32(0, length, true);
    const answer = refusal(() => ioctl(vcpu, "KVM_SET_SIGNAL_MASK", mask));
    assertEquals("the answer", answer, "EINVAL");
    // A kick still gets through.
    vcpu.kick();
    run();
  },
  trace: `
    pio out 0x10 u8 0x0
    > kick
    intr
  `,
}));
