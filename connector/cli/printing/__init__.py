"""How is it said? All sentences and tables that a person reads are made here, a module for each kind of answer."""
