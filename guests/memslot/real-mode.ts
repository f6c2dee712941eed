import { asm, defineCases } from "../../mod.ts";
import { hex } from "./_hex.ts";

const rows = {
  // Right behind slot 0.
  "behind-slot-0": { segment: 0x2000, gpa: 0x20000 },
  // The first addresses above 1 MiB are within reach of segment 0xffff.
  "above-1-mib": { segment: 0xffff, gpa: 0x100000 },
};

/** Real mode reaches a slot through its segments, first and last byte, and the holes around it. */
export default defineCases("memslot/real-mode", rows, ({ segment, gpa }) => {
  const first = gpa - segment * 16;
  return {
    spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION", "SDM 3B 21.1.1: address translation"],
    mode: "real",
    guest: asm`
      mov ax, ${segment}
      mov ds, ax
      mov bx, [${first}]
      mov [${first + 0x1ffe}], bx
      mov cx, [${first + 0x1fff}]
      hlt
    `,
    drive({ vm }) {
      const memory = vm.memory.map(0x2000);
      memory.view.setUint16(0, 0x2211, true);
      vm.memory.setSlot({ slot: 1, guestAddress: gpa, size: 0x2000, memory });
    },
    trace: `
      > slot 0x1 gpa=${hex(gpa)} size=0x2000
      mmio read ${hex(gpa + 0x2000)} u8 -> 0x33
      hlt
      = rax ${hex(segment)}
      = rbx 0x2211
      = rcx 0x3322
      = ds.selector ${hex(segment)}
      = ds.base ${hex(segment * 16)}
      = mem ${hex(gpa + 0x1ffe)} u16 0x2211
    `,
  };
});
