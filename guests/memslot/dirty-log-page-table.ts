import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { FRESH_LEAF, useAsPageTable } from "./_page_table.ts";

const rows = {
  "accessed": { guest: asm`mov al, [rbx]`, entry: "0xb023", trace: "= rax 0x5a" },
  "accessed-and-dirty": {
    guest: asm`mov byte [rbx], 0x77`,
    entry: "0xb063",
    trace: "= mem 0xb000 u8 0x77",
  },
};

/** A walk that sets a page-table entry's accessed or dirty flag has written to the table's page. */
export default defineCases("memslot/dirty-log-page-table", rows, ({ guest, entry, trace }) => ({
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG", "SDM 3A 4.8: accessed and dirty flags"],
  mode: "long",
  guest: asm`
    mov rbx, 0x40001000
    ${guest}
    hlt
  `,
  drive(context) {
    const { vm, run, write } = context;
    const memory = vm.memory.map(0x3000);
    memory.view.setBigUint64(0x1008, 0xb000n | FRESH_LEAF, true);
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x3000, memory, flags });
    useAsPageTable(context, 0x101000n);
    write(0xb000, Uint8Array.of(0x5a));
    run();
    vm.memory.dirtyLog(1, 3);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x3000 flags=0x1
    hlt
    > dirty-log 0x1 -> [0x1]
    = rbx 0x40001000
    = mem 0x101008 u64 ${entry}
    ${trace}
  `,
}));
