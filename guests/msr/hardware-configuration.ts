import { defineCases } from "../../mod.ts";
import { accepted, msrSteps, refused } from "./_access.ts";

/**
 * KVM lets a guest set McStatusWrEn of HWCR, and ignores three bits that old processors' firmware
 * sets; what it does not emulate raises #GP(0).
 */
export default defineCases("msr/hardware-configuration", {
  writable: [{ reads: 0n }, ...accepted(0x40000n, 0n)],
  ignored: [{ write: 0x40n, reads: 0n }, { write: 0x100n, reads: 0n }, { write: 0x8n, reads: 0n }],
  "not-emulated": refused(0n, 0x1n, 0x2n, 0x80n, 0x200n, 0x20000n, 0x80000n, 1n << 32n),
}, (steps) => ({
  spec: "APM 2 3.2.10: hardware configuration register (HWCR)",
  requires: [{ backend: ["svm"] }, { parameter: "kvm.ignore_msrs", value: "N" }],
  ...msrSteps(0xc0010015, steps),
}));
