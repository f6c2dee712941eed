import { asm, defineCases, Kvm } from "../../mod.ts";
import { lists } from "./_lists.ts";

/** A list for which there is just enough room is given in full. */
export default defineCases("system/list-fits", lists, ({ clause, read, requires }) => ({
  spec: clause,
  mode: "real",
  requires,
  guest: asm`hlt`,
  drive({ assertEquals }) {
    using kvm = Kvm.open();
    const all = read(kvm);
    assertEquals("with just enough room", read(kvm, all.length), all);
    assertEquals("with more", read(kvm, all.length + 1), all);
  },
  trace: `hlt`,
}));
