package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.jloss.Loss;
import org.junit.jupiter.api.Test;

/** That the two runs of the tests are what they say. */
class ModulePathTest {
  @Test
  void theLibraryIsANamedModuleWhereItShouldBe() {
    assertEquals(Boolean.getBoolean("jloss.modules"), Loss.class.getModule().isNamed());
  }
}
