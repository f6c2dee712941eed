import { asm, defineCases } from "../../mod.ts";
import { offered } from "../_cpuid.ts";

const [HIGHEST, ADDRESSES] = [0x80000000, 0x80000008];

interface Row {
  /** EAX of leaf 0x80000000, and bits 7:0 of EAX of leaf 0x80000008 where there is one. */
  readonly highest?: number;
  readonly told?: number;
  readonly width: number;
}

const rows: Record<string, Row> = {
  "36": { highest: ADDRESSES, told: 36, width: 36 },
  "39": { highest: ADDRESSES, told: 39, width: 39 },
  // Without the leaf they are 36 (SDM 3A 4.1.4).
  "leaf-absent": { highest: ADDRESSES, width: 36 },
  "leaf-beyond-the-highest": { highest: ADDRESSES - 1, told: 39, width: 36 },
  "no-extended-leaf": { width: 36 },
};

/** A physical address has as many bits as CPUID tells: CR3 can be no longer. */
export default defineCases("cpuid/physical-width", rows, ({ highest, told, width }) => ({
  spec: [
    "SDM 3A 4.1.4: MAXPHYADDR",
    "SDM 3A 4.5: CR3, bits 63:M reserved",
    "KVM API 4.20: KVM_SET_CPUID2",
  ],
  mode: "long",
  guest: asm`hlt`,
  drive: ({ vcpu, attempt }) => {
    const entries = offered(({ function: leaf, eax }) =>
      leaf === HIGHEST && highest !== undefined
        ? { eax: highest }
        : leaf === ADDRESSES && told !== undefined
        ? { eax: (eax & ~0xff | told) >>> 0 }
        : {}
    ).filter(({ function: leaf }) =>
      (leaf !== HIGHEST || highest !== undefined) && (leaf !== ADDRESSES || told !== undefined)
    );
    vcpu.setCpuid(entries);
    const sregs = vcpu.sregs();
    attempt(() => vcpu.setSregs({ ...sregs, cr3: sregs.cr3 | 1n << BigInt(width - 1) }));
    attempt(() => vcpu.setSregs({ ...sregs, cr3: sregs.cr3 | 1n << BigInt(width) }));
    attempt(() => vcpu.setSregs({ ...sregs, cr3: sregs.cr3 | 1n << 52n }));
    vcpu.setSregs(sregs);
  },
  trace: `
    > set-cpuid
    > set-sregs
    > set-sregs -> EINVAL
    > set-sregs -> EINVAL
    > set-sregs
    hlt
  `,
}));
