import { asm, defineCases, type Protection } from "../../mod.ts";

interface Row {
  readonly protection: Protection;
  /** What the guest does to the page behind which the host has no longer what it takes. */
  readonly access: string;
  /** The access needs more than the host has. */
  readonly faults: boolean;
  readonly state?: string;
}

const accesses: Record<string, { access: string; needsWrite: boolean; state?: string }> = {
  read: { access: "mov ebx, [0x101000]", needsWrite: false, state: "= rbx 0x44332211" },
  write: {
    access: "mov byte [0x101fff], 0xa1",
    needsWrite: true,
    state: "= mem 0x101fff u8 0xa1",
  },
  modify: {
    access: "add dword [0x101000], 0x11111111",
    needsWrite: true,
    state: "= mem 0x101000 u32 0x55443322\n= rflags 0x6",
  },
  push: {
    access: "mov esp, 0x101800\npush 0x77",
    needsWrite: true,
    state: "= rsp 0x1017fc\n= mem 0x1017fc u32 0x77",
  },
  fetch: { access: "call 0x101c00", needsWrite: false, state: "= mem 0x7ffc u32 *" },
};

const rows: Record<string, Row> = {};
for (const protection of ["read", "none"] as const) {
  for (const touched of ["", "-touched"]) {
    for (const [name, { access, needsWrite, state }] of Object.entries(accesses)) {
      rows[`${protection}-${name}${touched}`] = {
        protection,
        access: touched === ""
          ? `out 0x10, al\n${access}`
          : `mov byte [0x101800], 0\nout 0x10, al\n${access}`,
        faults: needsWrite || protection === "none",
        state,
      };
    }
  }
}

/**
 * A guest that writes memory which its host may only read, or touches what its host cannot reach,
 * gets EFAULT, whether the page was mapped before or not; with the memory as it was it goes on where
 * it stands.
 */
export default defineCases("memslot/host-protect", rows, (row) => ({
  spec: [
    "KVM API 7.34: KVM_CAP_MEMORY_FAULT_INFO, a guest access that the backing does not allow",
    "KVM API 4.35: changes in the backing of the memory region are automatically reflected into " +
    "the guest",
  ],
  mode: "protected",
  requires: ["KVM_CAP_SYNC_MMU"],
  guest: asm`
    inc byte [0xa000]
    ${row.access}
    hlt
  `,
  drive({ vm, run, attempt }) {
    const memory = vm.memory.map(0x3000);
    memory.view.setUint32(0x1000, 0x44332211, true);
    memory.bytes[0x1c00] = 0xc3; // RET
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x3000, memory });
    run();
    memory.protect(row.protection, 0x1000, 0x1000);
    try {
      attempt(run);
    } finally {
      memory.protect("read-write", 0x1000, 0x1000);
    }
  },
  // A kernel that fills in kvm_run.memory_fault tells of it that way.
  trace: `
    > slot 0x1 gpa=0x100000 size=0x3000
    pio out 0x10 u8 0x0
    ${row.faults ? "> run -> EFAULT | memory-fault flags=* gpa=0x101000 size=0x1000" : ""}
    hlt
    = mem 0xa000 u8 0x1
    ${row.state ?? ""}
  `,
}));
