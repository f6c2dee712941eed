import { asm, defineCases } from "../../mod.ts";

/** From a VM's limits: how many slots it has, and how many address spaces (0 means one). */
type Limits = { readonly slots: number; readonly spaces: number };

const rows = {
  "highest": { number: ({ slots }: Limits) => slots - 1, errno: "" },
  "one-too-high": { number: ({ slots }: Limits) => slots, errno: "-> EINVAL" },
  "two-too-high": { number: ({ slots }: Limits) => slots + 1, errno: "-> EINVAL" },
  "16-bits": { number: () => 0xffff, errno: "-> EINVAL" },
  "address-space-too-high": {
    number: ({ spaces }: Limits) => Math.max(spaces, 1) << 16 | 1,
    errno: "-> EINVAL",
  },
  "address-space-16-bits": { number: () => 0xffff0001, errno: "-> EINVAL" },
};

/** A slot's number is below KVM_CAP_NR_MEMSLOTS, its address space below KVM_CAP_MULTI_ADDRESS_SPACE. */
export default defineCases("memslot/slot-number", rows, ({ number, errno }) => ({
  spec: [
    "KVM API 4.35: bits 0-15 of slot are less than KVM_CAP_NR_MEMSLOTS",
    "KVM API 4.35: bits 16-31 of slot are less than KVM_CAP_MULTI_ADDRESS_SPACE",
  ],
  mode: "protected",
  guest: asm`
    mov eax, [0x100000]
    mov ebx, [0x200000]
    hlt
  `,
  drive({ vm, attempt }) {
    const memory = vm.memory.map(0x2000);
    memory.view.setUint32(0, 0x11, true);
    memory.view.setUint32(0x1000, 0x22, true);
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x1000, memory });
    const slot = number({
      slots: vm.checkExtension("KVM_CAP_NR_MEMSLOTS"),
      spaces: vm.checkExtension("KVM_CAP_MULTI_ADDRESS_SPACE"),
    });
    attempt(() =>
      vm.memory.setSlot({ slot, guestAddress: 0x200000, size: 0x1000, memory, offset: 0x1000 })
    );
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000
    > slot * gpa=0x200000 size=0x1000 ${errno}
    ${errno === "" ? "" : "mmio read 0x200000 u32 -> 0x33"}
    hlt
    = rax 0x11
    = rbx ${errno === "" ? "0x22" : "0x33"}
  `,
}));
