package org.jloss.cli;

/** What was asked for cannot be done; the message is one line for the user. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1;

  Refusal(String message) {
    super(message);
  }
}
