import { defineCases } from "../../mod.ts";
import { msrSteps, type Step } from "./_access.ts";

const zero = [{ reads: 0n }] as const;
/** Written, and nothing comes of it. */
const ignored = [{ reads: 0n }, { write: 0x123456789n, reads: 0n }] as const;

interface Row {
  index: number;
  steps: readonly Step[];
}

const rows: Record<string, Row> = {
  "platform-id": { index: 0x17, steps: zero },
  "power-on": { index: 0x2a, steps: zero },
  "system-configuration": { index: 0xc0010010, steps: zero },
  "tseg-base": { index: 0xc0010112, steps: zero },
  "tseg-mask": { index: 0xc0010113, steps: zero },
  "interrupt-pending": { index: 0xc0010055, steps: zero },
  "performance-control": { index: 0x199, steps: zero },
  "northbridge-configuration": { index: 0xc001001f, steps: ignored },
  "bus-unit-configuration": { index: 0xc001102a, steps: ignored },
  "data-cache-configuration": { index: 0xc0011022, steps: ignored },
  "table-walker-configuration": { index: 0xc0011023, steps: ignored },
  "execution-unit-configuration": { index: 0xc001102c, steps: ignored },
  // A write of 0 alone.
  "mmio-configuration-base": {
    index: 0xc0010058,
    steps: [{ reads: 0n }, { write: 0n, reads: 0n }, { write: 1n, fault: true, reads: 0n }],
  },
  "energy-unit": { index: 0x606, steps: zero },
  "energy-package": { index: 0x611, steps: zero },
  "energy-memory": { index: 0x619, steps: zero },
  "energy-cores": { index: 0x639, steps: zero },
  "energy-graphics": { index: 0x641, steps: zero },
  // 100 MHz.
  "bus-frequency": { index: 0xcd, steps: [{ reads: 3n }] },
  "clock-ratio": { index: 0x2c, steps: [{ reads: 0x1000000n }] },
  "performance-status": { index: 0x198, steps: [{ reads: 0x400000003e8n }] },
  "clock-control": {
    index: 0xc001001b,
    steps: [{ reads: 0x20000000n }, { write: 0n, reads: 0x20000000n }],
  },
  "second-level-cache-control": {
    index: 0x11e,
    steps: [{ reads: 0xbe702111n }, { write: 0n, reads: 0xbe702111n }],
  },
  "machine-check-address-pentium": {
    index: 0x0,
    steps: [{ reads: 0n }, { write: 0n, fault: true }],
  },
  "machine-check-type-pentium": { index: 0x1, steps: [{ reads: 0n }, { write: 0n, fault: true }] },
  "microcode-update": { index: 0x79, steps: [{ write: 0x1000n }] },
  "patch-loader": { index: 0xc0010020, steps: [{ write: 0x1000n }] },
};

/** MSRs of which KVM has no more than the value that a guest can live with. */
export default defineCases("msr/legacy", rows, ({ index, steps }) => ({
  spec: [
    "SDM 4 2: model-specific registers",
    "AMD BKDG of families 0Fh to 15h: MSRs of core and northbridge",
  ],
  requires: [{ parameter: "kvm.ignore_msrs", value: "N" }],
  ...msrSteps(index, steps),
}));
