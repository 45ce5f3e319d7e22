"""The tests of kosine."""
