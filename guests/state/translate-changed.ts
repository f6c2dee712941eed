import { asm, defineCases, type ModeName, type SpecialRegisters } from "../../mod.ts";

interface Row {
  readonly mode: ModeName;
  readonly change: (sregs: SpecialRegisters) => Partial<SpecialRegisters>;
  /** Guest physical addresses of the page before and behind the change, where there are any. */
  readonly before?: bigint;
  readonly after?: bigint;
}

/** A page that is mapped elsewhere, with bits that a change gives a meaning, or takes it. */
const [VIRTUAL, PHYSICAL] = [0x40000000n, 0x9000n];
const [PG, PSE, NXE] = [1n << 31n, 1n << 4n, 1n << 11n];

const rows: Record<string, Row> = {
  "paging-off": {
    mode: "paged",
    change: ({ cr0 }) => ({ cr0: cr0 & ~PG }),
    before: PHYSICAL,
    after: VIRTUAL,
  },
  // XD is reserved where EFER.NXE is clear (SDM 3A 4.7).
  "no-execute-off": {
    mode: "long",
    change: ({ efer }) => ({ efer: efer & ~NXE }),
    before: PHYSICAL,
  },
  // PS is ignored where CR4.PSE is clear: the entry is a page table's, and the table is empty.
  "page-size-extensions-off": {
    mode: "paged",
    change: ({ cr4 }) => ({ cr4: cr4 & ~PSE }),
    before: 0x400000n,
  },
};

const ways = ["sregs", "sregs2"] as const;

/** KVM_TRANSLATE walks with the registers that the host has set last, however it set them. */
export default defineCases(
  "state/translate-changed",
  Object.fromEntries(
    Object.entries(rows).flatMap(([name, row]) =>
      ways.map((way) => [way === "sregs" ? name : `${name}-${way}`, { ...row, name, way }] as const)
    ),
  ),
  ({ mode, change, before, after, name, way }) => ({
    spec: [
      "KVM API 4.15: KVM_TRANSLATE",
      "KVM API 4.13: KVM_SET_SREGS; 4.132: KVM_SET_SREGS2",
      "SDM 3A 4.3: 32-bit paging; 4.5: 4-level paging",
    ],
    mode,
    requires: way === "sregs2" ? ["KVM_CAP_SREGS2"] : [],
    machine: {
      map: [
        name === "page-size-extensions-off"
          ? { virtual: VIRTUAL, physical: 0x400000, size: 0x400000, pageSize: 0x400000 }
          : {
            virtual: VIRTUAL,
            physical: PHYSICAL,
            pageSize: 0x1000,
            ...(mode === "long" ? { executable: false } : {}),
          },
      ],
    },
    guest: asm`hlt`,
    drive({ vcpu, assertEquals }) {
      const physical = () => {
        const { physical_address, valid } = vcpu.translate(VIRTUAL);
        return valid ? physical_address : undefined;
      };
      const sregs = vcpu.sregs();
      assertEquals("before", physical(), before);
      const set = (changed: Partial<SpecialRegisters>) => {
        if (way === "sregs") vcpu.setSregs({ ...sregs, ...changed });
        else {vcpu.setSregs2({
            ...vcpu.sregs2(),
            cr0: sregs.cr0,
            cr4: sregs.cr4,
            efer: sregs.efer,
            ...changed,
          });}
      };
      set(change(sregs));
      assertEquals("behind", physical(), after);
      set({});
      assertEquals("as before", physical(), before);
    },
    trace: `
      > set-${way}
      > set-${way}
      hlt
    `,
  }),
);
