import { asm, defineCases, Kvm, KvmError } from "../../mod.ts";
import { lists } from "./_lists.ts";

/** A list that does not fit is E2BIG; where the document says so, with how many entries there are. */
export default defineCases(
  "system/list-too-small",
  lists,
  ({ clause, read, counts, requires }) => ({
    spec: `${clause}, E2BIG`,
    mode: "real",
    requires,
    guest: asm`hlt`,
    drive({ assertEquals }) {
      using kvm = Kvm.open();
      const all = read(kvm);
      assertEquals("there is something to read", all.length > 0, true);
      for (const room of [0, 1, all.length - 1]) {
        if (room >= all.length) continue;
        let error: unknown;
        try {
          read(kvm, room);
        } catch (thrown) {
          error = thrown;
        }
        assertEquals(`room for ${room}`, error instanceof KvmError && error.code, "E2BIG");
        if (counts) assertEquals("what is needed", (error as KvmError).needed, all.length);
      }
    },
    trace: `hlt`,
  }),
);
