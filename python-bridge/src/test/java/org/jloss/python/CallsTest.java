package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * Calls of torch answer as PyTorch does, results and errors: calls.json is what CPython with
 * PyTorch said, recorded by src/test/python/record_calls.py.
 */
class CallsTest {
  @Test
  void answerAsPyTorch() throws Exception {
    final String records;
    try (InputStream json =
        Objects.requireNonNull(CallsTest.class.getResourceAsStream("calls.json"))) {
      records = new String(json.readAllBytes(), StandardCharsets.UTF_8);
    }
    try (PythonBridge python = PythonBridge.create()) {
      python.set("records", records);
      python.exec(
          """
          import json
          import torch

          scope, wrong, count = {"torch": torch}, [], 0
          for record in json.loads(records):
              if "run" in record:
                  exec(record["run"], scope)
                  continue
              count += 1
              call = record.pop("call")
              try:
                  got = {"result": repr(eval(call, scope))}
              except Exception as error:
                  got = {"error": type(error).__name__, "text": str(error)}
              if got != record:
                  wrong.append(f"{call}\\n  PyTorch: {record}\\n  here:    {got}")
          """);
      assertEquals("", python.eval("'\\n'.join(wrong)"));
      assertTrue((long) python.eval("count") >= 200);
    }
  }
}
