"""The two CRMs, each behind the same few promises (`base.py`), through one door to the network (`http.py`)."""
