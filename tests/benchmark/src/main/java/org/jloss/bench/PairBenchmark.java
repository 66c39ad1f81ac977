package org.jloss.bench;

import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Times all ways of one line of the table in turns. JMH forks, warms up and iterates; but it runs
 * one method after another, minutes apart on a machine whose speed drifts, so one method here times
 * the ways in turns, call by call, and an iteration yields one pair of times for each ratio.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class PairBenchmark {
  /** The key of the line. */
  @Param("mse_loss/1e3")
  public String row;

  /** Threads of libtorch, 0 for its own choice. */
  @Param("0")
  public int threads;

  private Ways ways;
  private int turn;
  private final long[] peaks = new long[3];
  private long gradientBytes;
  private double value;

  /** What an iteration yields: nanoseconds of each way, the calls of each, peak bytes, the loss. */
  @AuxCounters(AuxCounters.Type.EVENTS)
  @State(Scope.Thread)
  public static class Counters {
    public long fused;
    public long autograd;
    public long composed;
    public long calls;
    public long fusedPeak;
    public long autogradPeak;
    public long composedPeak;
    public long gradientBytes;
    public double value;
  }

  /** Draws the inputs and measures the memory, after a call that fills the caches of libtorch. */
  @Setup(Level.Trial)
  public void setUp() {
    ways = new Ways(Workload.of(row));
    if (threads > 0) {
      torch.set_num_threads(threads);
    }
    gradientBytes = ways.gradientBytes();
    value = ways.value(Ways.FUSED)[0];
    for (int way = 0; way < 3; way++) {
      ways.run(way);
      peaks[way] = ways.peakBytes(way);
    }
  }

  /** Each way once; who begins changes. */
  @Benchmark
  public void inTurns(Counters counters) {
    for (int i = 0; i < 3; i++) {
      final int way = (turn + i) % 3;
      final long start = System.nanoTime();
      ways.run(way);
      final long time = System.nanoTime() - start;
      switch (way) {
        case Ways.FUSED -> counters.fused += time;
        case Ways.AUTOGRAD -> counters.autograd += time;
        default -> counters.composed += time;
      }
    }
    turn = (turn + 1) % 3;
    counters.calls++;
    counters.fusedPeak = peaks[Ways.FUSED];
    counters.autogradPeak = peaks[Ways.AUTOGRAD];
    counters.composedPeak = peaks[Ways.COMPOSED];
    counters.gradientBytes = gradientBytes;
    counters.value = value;
  }

  /** Frees the inputs. */
  @TearDown(Level.Trial)
  public void tearDown() {
    ways.close();
  }
}
